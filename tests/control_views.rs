//! Every view of both pages, light and dark, on a phone and on a PC: nothing that keeps anybody out, nothing cut off,
//! nothing that jumps.

#![allow(clippy::unwrap_used)]

use moiso::clock::{Millis, Now};
use moiso::config::Config;
use moiso::control::auth::Role;
use moiso::journal::Journal;
use moiso::raster::Raster;
use moiso::scene::{Look, Size, compose};
use serde_json::json;

#[path = "support/browser.rs"]
mod browser;
#[path = "support/console.rs"]
mod console;
#[path = "support/scenes.rs"]
mod scenes;

use browser::Browser;
use console::{Console, Parts, now};
use scenes::{busy_view, kept, three_screens};

/// A phone, an old office PC, a laptop and a large screen.
const SIZES: [(u32, u32); 4] = [(360, 740), (1024, 768), (1440, 900), (1920, 1080)];

async fn busy_hall(folder: &std::path::Path) -> Console {
    let (journal, _) = Journal::open(folder, 90, now()).unwrap();
    // The page asks for what was before the browser's own now.
    kept(&journal, jiff::Timestamp::now());
    let (view, look) = (busy_view(2), Look::of(&Config::default()));
    let board = compose(&view, &look, Size { w: 1920, h: 1080 }, Now { mono: Millis::ZERO, wall: now() });
    let picture = Raster::default().picture(&board).png().unwrap();
    let console = Console::with_parts(Parts { picture, journal: Some(journal), ..Parts::default() }).await;
    console.view.send_replace(std::sync::Arc::new(view));
    console.screens.send_replace(three_screens());
    console.speech.send_replace(scenes::speech(jiff::Timestamp::now()));
    let tone: Vec<f32> = (0..48_000).map(|n| (n as f32 * 0.05).sin() * 0.3).collect();
    let recording = console.shelf.put(&tone, &std::collections::BTreeSet::new()).unwrap();
    let mut client = console.signed_in(Role::Operator).await;
    for (id, text, level) in [
        ("gui-xe", "Công dân được gửi xe miễn phí, nước uống miễn phí, hướng dẫn kê khai miễn phí.", "info"),
        ("quay-8", "Quầy 8 tạm nghỉ đến 10 giờ, mời công dân đến quầy 7.", "info"),
        ("het-so", "Hôm nay hết số lĩnh vực đất đai lúc 10 giờ 30.", "important"),
    ] {
        let put = json!({ "type": "notice.put", "id": id, "text": text, "level": level, "until": "17:00" });
        assert_eq!(client.ask(put).await["ok"], true);
    }
    let put = json!({
        "type": "notice.put", "id": "ghi-am", "text": "Mời công dân có hồ sơ đất đai đến quầy 3.", "speak": true,
        "recording": recording.as_str(),
    });
    assert_eq!(client.ask(put).await["ok"], true);
    console
}

/// What each page shows when all of it has come.
const PAGES: [(&str, &str); 5] = [
    (
        "sanh",
        "document.querySelectorAll('#pad li').length === 11 && document.querySelector('#sound-calls li') && document.querySelectorAll('#speech li').length === 4",
    ),
    (
        "thong-bao",
        "document.querySelectorAll('#notice-list li').length === 4 && document.querySelector('#notice-past td')",
    ),
    ("lich-su", "yesterday() && document.querySelectorAll('#history-table tbody tr').length === 2"),
    ("man-hinh", "document.querySelectorAll('#screens-table tbody tr').length === 3"),
    (
        "suc-khoe",
        "document.querySelectorAll('#health-list li').length === 9 && document.querySelector('#rejected-table td')",
    ),
];

async fn look(page: &Browser, name: &str, width: u32, theme: &str) -> Vec<String> {
    let mut faults = page.faults().await;
    let wide = page.value("document.documentElement.scrollWidth").await;
    if wide.as_u64().unwrap() > u64::from(width) {
        faults.push(format!("is {wide} wide"));
    }
    page.picture(&format!("{name}-{width}-{theme}")).await;
    faults.into_iter().map(|fault| format!("{name} at {width} px, {theme}: {fault}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_console_keeps_anybody_out() {
    let folder = tempfile::tempdir().unwrap();
    let console = busy_hall(folder.path()).await;
    let mut faults = Vec::new();
    let page = Browser::open(&format!("http://{}/", console.address), 1440, 900).await;
    for (width, height) in SIZES {
        page.resize(width, height).await;
        for theme in ["light", "dark"] {
            page.theme(theme).await;
            page.value("sessionStorage.clear()").await;
            page.go(&format!("http://{}/?signed-out", console.address)).await;
            page.until("!document.getElementById('sign-in').hidden && document.getElementById('picture').naturalWidth > 0")
                .await;
            faults.extend(look(&page, "dang-nhap", width, theme).await);
            let token = console.auth.one_time(Role::Technician, "Kỹ thuật");
            page.go(&format!("http://{}/?{theme}{width}#token={token}", console.address)).await;
            // Just after midnight the calls are those of the day before.
            page.value(
                "globalThis.yesterday = () => { const day = document.getElementById('history-day'); \
                 if (document.querySelector('#history-table .note') && !day.dataset.back) { day.dataset.back = 1; \
                 day.valueAsNumber -= 24 * 3600 * 1000; day.dispatchEvent(new Event('change')); } return true; }",
            )
            .await;
            for (name, whole) in PAGES {
                page.value(&format!("location.hash = '#{name}'")).await;
                page.until(whole).await;
                page.until(&format!("document.querySelector('nav a[aria-current]').hash === '#/{name}'"))
                    .await;
                faults.extend(look(&page, name, width, theme).await);
            }
            *console.health.lock().unwrap() = scenes::unwell();
            page.until("document.getElementById('health-sum').textContent === '3 bộ phận cần xử lý'").await;
            assert_eq!(page.value("document.querySelectorAll('#health-list li').length").await, 13);
            let here = "(({ left, right }) => left >= 0 && right <= innerWidth)(document.querySelector('nav a[aria-current]').getBoundingClientRect())";
            assert_eq!(page.value(here).await, true, "the open page is seen in the row of pages");
            faults.extend(look(&page, "suc-khoe-yeu", width, theme).await);
            *console.health.lock().unwrap() = console::well();
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(page.complaints().await, Vec::<String>::new(), "no error, no refused resource");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_on_the_phones_page_keeps_anybody_out() {
    let folder = tempfile::tempdir().unwrap();
    let console = busy_hall(folder.path()).await;
    let mut faults = Vec::new();
    let page = Browser::open(&format!("http://{}/now", console.address), 360, 740).await;
    for (width, height) in SIZES {
        page.resize(width, height).await;
        for theme in ["light", "dark"] {
            page.theme(theme).await;
            for ticket in ["", "A016", "A012"] {
                page.value(&format!("sessionStorage.setItem('moiso.mine', '{ticket}')")).await;
                page.go(&format!("http://{}/now?{theme}{width}{ticket}", console.address)).await;
                page.until("document.getElementById('number').textContent === 'A012'").await;
                faults.extend(look(&page, &format!("now-{ticket}"), width, theme).await);
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_under_the_hand_while_the_pages_load_and_while_the_board_changes() {
    let folder = tempfile::tempdir().unwrap();
    let console = busy_hall(folder.path()).await;
    for (width, height) in SIZES {
        let token = console.auth.one_time(Role::Technician, "Kỹ thuật");
        let url = format!("http://{}/#token={token}", console.address);
        let page = Browser::open(&url, width, height).await;
        page.until(PAGES[0].1).await;
        let loaded = page.shift().await;
        let mut view = busy_view(3);
        view.spotlight.clear();
        view.counters[4].called = false;
        view.counters[2].called = true;
        view.counters[1].ticket = None;
        console.view.send_replace(std::sync::Arc::new(view));
        page.until("document.querySelectorAll('#pad li.called').length === 1 && document.getElementById('summary').textContent === 'Chưa mời số nào.'").await;
        let after = page.shift().await;
        console.view.send_replace(std::sync::Arc::new(busy_view(4)));
        // 0.1 is what counts as good; most of what comes is in its place from the beginning.
        assert!(loaded < 0.1 && after - loaded < 0.02, "{width} px: {loaded} at first, {after} later");
        page.go(&format!("http://{}/now", console.address)).await;
        page.until("document.getElementById('number').textContent === 'A012'").await;
        let phone = page.shift().await;
        assert!(phone < 0.1, "the phones' page at {width} px: {phone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checker_itself_finds_what_is_wrong() {
    let console = Console::start().await;
    let page = Browser::open(&format!("http://{}/", console.address), 1440, 900).await;
    page.until("document.getElementById('sign-in').checkVisibility()").await;
    page.value("document.querySelector('label[for=token]').remove()").await;
    page.value("document.getElementById('token').removeAttribute('placeholder')").await;
    page.value("document.querySelector('#sign-in .note').style.color = '#ccc'").await;
    page.value("document.getElementById('picture').removeAttribute('alt')").await;
    let faults = page.faults().await;
    for rule in ["label", "color-contrast", "image-alt"] {
        assert!(faults.iter().any(|fault| fault.starts_with(rule)), "{rule} {faults:?}");
    }

    // And what the page complains of: its own words, an error, a promise that nobody waits for, what its policy refuses,
    // what is not there.
    assert_eq!(page.complaints().await, Vec::<String>::new());
    page.value("console.debug('a word')").await;
    page.value("setTimeout(() => { throw new Error('an error'); })").await;
    page.value("{ refused: Promise.reject(new Error('nobody waits')) }").await;
    page.value("new Promise((done) => { const picture = new Image(); picture.onerror = () => done(true); picture.src = 'http://127.0.0.2/a'; })")
        .await;
    page.value("fetch('/nowhere').then((answer) => answer.status)").await;
    let complaints = page.complaints().await;
    for words in ["a word", "an error", "nobody waits", "Content Security Policy", "/nowhere"] {
        assert!(complaints.iter().any(|complaint| complaint.contains(words)), "{words} {complaints:#?}");
    }
}
