//! What the pages say of their own link: a cable that goes silent is noticed, and the picture follows the board.

#![allow(clippy::unwrap_used)]

mod support;

#[path = "support/browser.rs"]
mod browser;
#[path = "support/proxy.rs"]
mod proxy;

use std::time::{Duration, Instant};

use browser::Browser;
use proxy::{Cable, Proxy};
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::{call, until};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_cable_that_swallows_everything_is_noticed_by_both_pages_and_they_come_back() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let cable = Proxy::to(daemon.port()).await;
    let address = |path: &str| format!("http://{}{path}", cable.address);
    let page = Browser::open(&address(&format!("/#token={}", daemon.token())), 1440, 900).await;
    page.until("document.getElementById('link').textContent === '● Đang hoạt động'").await;
    page.until("document.getElementById('picture').naturalWidth > 0").await;
    let phone = Browser::open(&address("/now"), 360, 740).await;
    phone.until("document.getElementById('state').textContent.startsWith('Cập nhật')").await;

    // Nothing is closed: only the pages themselves can find out.
    cable.set(Cable::Silent);
    phone.until("document.getElementById('state').textContent.startsWith('Mất kết nối, đang thử lại')").await;
    page.until("document.getElementById('link').textContent === 'Mất kết nối, đang thử lại…'").await;
    page.until("document.getElementById('age').textContent.startsWith('hình cũ')").await;
    cable.set(Cable::Whole);
    page.until("document.getElementById('link').textContent === '● Đang hoạt động'").await;
    phone.until("document.getElementById('state').textContent.startsWith('Cập nhật')").await;
    broker.publish("moiso/dong-da/call", &call("c-1", "A012", "5", "call"), &[]);
    page.until("document.getElementById('summary').textContent === 'Đang mời: A012 đến Quầy 5.'").await;
    page.until("document.getElementById('age').textContent === 'vừa cập nhật'").await;
    phone.until("document.getElementById('number').textContent === 'A012'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_picture_follows_the_board_and_waits_for_no_clock_of_the_page() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start_in(&broker, None, &[("MOISO_BOARD_DWELL_S", "120")]);
    until(SOON, "the link comes up", || daemon.is_linked());
    let page = Browser::open(&daemon.page(&format!("/#token={}", daemon.token())), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    page.until("document.getElementById('picture').naturalWidth > 0").await;
    // Without its timers the page asks only when it is told that the board has changed.
    page.value("Array(10000).fill().forEach((_, n) => clearInterval(n))").await;
    page.value(
        "globalThis.pixels = async (address) => { const picture = new Image(); picture.src = address; await picture.decode(); \
         const canvas = new OffscreenCanvas(picture.naturalWidth, picture.naturalHeight); \
         const paper = canvas.getContext('2d'); paper.drawImage(picture, 0, 0); let sum = 0; \
         for (const byte of paper.getImageData(0, 0, canvas.width, canvas.height).data) sum = (sum * 31 + byte) % 4294967291; \
         return sum; }",
    )
    .await;
    let mut same = Vec::new();
    for (n, ticket) in ["A012", "B107", "C023"].into_iter().enumerate() {
        page.value("globalThis.before = document.getElementById('picture').src").await;
        let start = Instant::now();
        broker.publish(
            "moiso/dong-da/call",
            &call(&format!("c-{n}"), ticket, &(n + 1).to_string(), "call"),
            &[],
        );
        page.until("document.getElementById('picture').src !== before").await;
        println!("{ticket} is in the picture after {:?}", start.elapsed());
        // A board at rest, which no call leaves meanwhile: what is drawn later is the same, unless the minute has changed.
        let shown = page.value("pixels(document.getElementById('picture').src)").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        // An address of its own: the page would show a picture that it has once more.
        same.push(page.value(&format!("pixels('/board.png?{ticket}')")).await == shown);
    }
    let kept = same.iter().filter(|same| **same).count();
    assert!(kept >= 2, "the first picture after a call has the call in it: {same:?}");
}
