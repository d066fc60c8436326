//! Two operators at two PCs, a real daemon and a real broker: what one does, the hall and the other one see.

#![allow(clippy::unwrap_used)]

mod support;

#[path = "support/browser.rs"]
mod browser;

use std::time::{Duration, Instant};

use browser::Browser;
use serde_json::{Value, json};
use support::daemon::Daemon;
use support::mosquitto::Mosquitto;
use support::{call, rows, until};

const SOON: Duration = Duration::from_secs(10);

async fn operator(daemon: &Daemon, width: u32) -> Browser {
    let page = Browser::open(&daemon.page(&format!("/#token={}", daemon.token())), width, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    page
}

/// The foot of the board, where the ticker runs.
fn foot(daemon: &Daemon) -> Vec<u8> {
    rows(&daemon.board_png(), 0.93, 1.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_runs_on_the_board_and_stands_on_the_other_console_until_it_is_ended() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let notices = broker.subscribe("moiso/dong-da/notice/+");
    let (one, two) = (operator(&daemon, 1440).await, operator(&daemon, 360).await);
    let empty = foot(&daemon);
    for page in [&one, &two] {
        page.value("location.hash = '#thong-bao'").await;
        page.until("document.getElementById('notices').checkVisibility()").await;
    }
    one.value("document.getElementById('text').value = 'Quầy 8 tạm nghỉ <b>đến 10 giờ</b>'").await;
    one.click("#notice-send").await;
    two.until("document.querySelector('#notice-list p').textContent === 'Quầy 8 tạm nghỉ <b>đến 10 giờ</b>'")
        .await;
    until(SOON, "it runs on the board", || foot(&daemon) != empty);
    notices.wait_for(|message| message.contains("Quầy 8 tạm nghỉ <b>đến 10 giờ</b>"));

    // Another one comes, is put first, changed and ended.
    let first = |text: &str| format!("document.querySelector('#notice-list p').textContent === '{text}'");
    let press = |what: &str| format!("#notice-list [data-spot$='/{what}']");
    one.value("document.getElementById('text').value = 'Hết số'").await;
    one.click("#notice-send").await;
    one.until("document.querySelectorAll('#notice-list li').length === 2").await;
    one.click(&press("up")).await;
    one.until(&first("Hết số")).await;
    one.click(&press("edit")).await;
    one.value("document.getElementById('text').value = 'Hết số hôm nay'").await;
    one.click("#notice-send").await;
    one.until(&first("Hết số hôm nay")).await;
    one.click(&press("end")).await;
    two.until("document.querySelectorAll('#notice-list li').length === 1").await;

    two.click(&press("end")).await;
    one.until("document.querySelectorAll('#notice-list li').length === 0").await;
    until(SOON, "the ticker is empty again", || foot(&daemon) == empty);
    one.value("location.hash = '#suc-khoe'").await;
    one.value("location.hash = '#thong-bao'").await;
    one.until("document.querySelectorAll('#notice-past tbody tr').length === 8").await;
    let column = |n: usize| {
        format!(
            "Array.from(document.querySelectorAll('#notice-past td:nth-child({n})'), (td) => td.textContent).join()"
        )
    };
    assert_eq!(
        one.value(&column(3)).await,
        // The other one is told after the one that was changed, so that each keeps its place.
        "kết thúc,kết thúc,xếp lại,sửa,xếp lại,xếp lại,phát,phát",
        "the last first"
    );
    let who = one.value(&column(2)).await;
    assert!(who.as_str().unwrap().starts_with("Quầy hướng dẫn,"), "{who}");
    assert_eq!((&one.complaints().await, &two.complaints().await), (&Vec::new(), &Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_called_by_keyboard_is_on_the_board_at_once_and_its_story_is_found_later() {
    let broker = Mosquitto::start();
    let daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    let counters = broker.subscribe("moiso/dong-da/counter/+");
    let page = operator(&daemon, 1440).await;
    page.press(&["5", "g"]).await;
    page.until("document.activeElement.id === 'ticket'").await;
    page.press(&["a012"]).await;
    page.press(&["Enter"]).await;
    page.until("document.getElementById('summary').textContent === 'Đang mời: A012 đến Quầy 5.'").await;
    assert_eq!(daemon.view()["spotlight"][0]["ticket"], "A012");

    // A busy machine takes longer than the second of an idle one; what the picture waits for is held in control_link.rs.
    page.value("globalThis.before = document.getElementById('picture').src").await;
    let start = Instant::now();
    broker.publish("moiso/dong-da/call", &call("m-1", "B107", "2", "call"), &[]);
    page.until("document.getElementById('picture').src !== globalThis.before").await;
    println!("the live picture followed a call after {:?}", start.elapsed());

    page.press(&["Escape", "3", "n"]).await;
    page.until("document.getElementById('dialog').open").await;
    page.press(&["1", "0", "h", "Enter"]).await;
    let paused = counters.wait_for(|message| message.contains("paused"));
    assert!(paused.contains(r#""reopens":"10:00""#), "{paused}");
    let third = || daemon.view()["counters"][2].clone();
    until(SOON, "the board shows the pause", || {
        third()["state"] == "paused" && third()["reopens"] == "10:00"
    });

    page.value("location.hash = '#lich-su'").await;
    page.until("document.querySelectorAll('#history-table tbody tr').length === 2").await;
    page.value("document.getElementById('history-ticket').value = 'a012'").await;
    page.click("#history-find").await;
    page.until("document.querySelectorAll('#history-table tbody tr').length === 1").await;
    // Another screen of the hall says what it made of the call; a will of an older session is not believed.
    let at = jiff::Timestamp::now().to_string();
    let id = daemon.view()["spotlight"].as_array().unwrap().iter().find(|s| s["ticket"] == "A012").unwrap()["call"]
        .clone();
    let proof = json!({ "call": id, "received": at, "speech_from": at, "outcome": "spoken" });
    broker.publish("moiso/dong-da/screen/tang-2/proof", &proof.to_string(), &[]);
    until(SOON, "the other screen's proof is kept", || daemon.kept("elsewhere", "screen = 'tang-2'") == 1);
    page.click("#history-find").await;
    page.until("document.getElementById('history-table').innerText.includes('tang-2: đã đọc')").await;

    let status =
        |session: i64, online: bool| json!({ "online": online, "session": session, "at": at }).to_string();
    broker.publish("moiso/dong-da/screen/tang-2/status", &status(7, true), &["-r"]);
    broker.publish("moiso/dong-da/screen/tang-2/status", &status(6, false), &["-r"]);
    broker.publish("moiso/dong-da/screen/cua-vao/status", &status(1, false), &["-r"]);
    page.value("location.hash = '#man-hinh'").await;
    page.until("document.querySelectorAll('#screens-table tbody tr').length === 3").await;
    let words = page
        .value("Array.from(document.querySelectorAll('#screens-table tbody tr'), (r) => r.innerText)")
        .await;
    let line = |name: &str| -> String {
        let all: Vec<&str> = words.as_array().unwrap().iter().filter_map(Value::as_str).collect();
        all.into_iter()
            .find(|line| line.starts_with(name))
            .unwrap_or_else(|| panic!("{name}: {words}"))
            .to_owned()
    };
    assert!(line("cua-vao").contains("đã tắt") && line("tang-2").contains("hoạt động"), "{words}");
    assert!(line("sanh-1").contains("(máy này)") && line("sanh-1").contains("hoạt động"), "{words}");
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_away_from_the_daemon_says_so_and_comes_back() {
    let mut broker = Mosquitto::start();
    let mut daemon = Daemon::start(&broker, None, "");
    until(SOON, "the link comes up", || daemon.is_linked());
    broker.publish("moiso/dong-da/call", &call("p-1", "A012", "5", "call"), &[]);
    let phone = Browser::open(&daemon.page("/now"), 360, 740).await;
    phone.until("document.getElementById('number').textContent === 'A012'").await;
    broker.kill();
    phone
        .until("document.getElementById('state').textContent.startsWith('Sảnh mất liên lạc với hệ thống')")
        .await;
    daemon.kill();
    phone.until("document.getElementById('state').textContent.startsWith('Mất kết nối, đang thử lại')").await;
    daemon.start_again(None);
    phone.until("!document.getElementById('state').textContent.startsWith('Mất kết nối')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_technician_commands_another_screen_and_both_know_who_it_was() {
    let broker = Mosquitto::start();
    let (here, mut there) = (Daemon::start(&broker, None, ""), Daemon::silent("sanh-2", &broker));
    until(SOON, "both are linked", || here.is_linked() && there.is_linked());
    let made = here.cli(&["token", "add", "--role", "technician", "--name", "Kỹ thuật"]);
    let token = made.trim();
    let page = Browser::open(&here.page(&format!("/#token={token}")), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    page.value("location.hash = '#man-hinh'").await;
    page.until("document.querySelectorAll('#screens-table tbody tr').length === 2").await;
    page.click("[data-spot=\"sanh-2/identify\"]").await;
    page.until("document.getElementById('screens-done').textContent === 'sanh-2: đang hiện tên.'").await;
    until(SOON, "it shows its name", || !there.view()["identify_until_ms"].is_null());
    assert!(here.view()["identify_until_ms"].is_null(), "and this one does not");
    until(SOON, "there it is known who wanted it", || {
        there.kept("audit", "topic = 'command' AND who = 'Kỹ thuật' AND payload LIKE '%identify%'") == 1
    });
    until(SOON, "and here", || {
        here.kept("audit", "topic = 'screen/sanh-2/command' AND who = 'Kỹ thuật'") == 1
    });

    let command = |args: &[&str]| here.command(args).args(["--token", token]).output().unwrap();
    let muted = command(&["mute", "--screen", "sanh-2"]);
    assert!(muted.status.success(), "{muted:?}");
    until(SOON, "the other screen has it", || there.kept("audit", "payload LIKE '%mute%'") == 1);
    for (args, words) in [
        (&["identify", "--screen", "sanh-9"][..], "Sảnh không có màn hình sanh-9."),
        (&["identify", "--screen", "a/b"], "không hợp lệ"),
        (&["mute", "lau-9", "--screen", "sanh-2"], "Không có khu lau-9."),
    ] {
        let refused = command(args);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(words), "{said}");
    }

    // A screen that is off is not commanded: it would obey when nobody thinks of it any more.
    there.kill();
    page.until("document.getElementById('screens-sum').textContent === '1 màn hình cần kiểm tra'").await;
    page.until("!document.querySelector('[data-spot=\"sanh-2/identify\"]')").await;
    let refused = command(&["identify", "--screen", "sanh-2"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("đang tắt hoặc không trả lời"), "{refused:?}");
    there.start_again(None);
    until(SOON, "it is back", || there.is_linked());
    assert_eq!(there.kept("audit", "topic = 'command'"), 2, "and was told nothing meanwhile");
    assert_eq!(page.complaints().await, Vec::<String>::new());
}
