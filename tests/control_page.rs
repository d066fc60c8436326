//! The pages in a real browser: an operator at a PC, and a citizen with a phone.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use moiso::board::input::Input;
use moiso::board::view::BoardView;
use moiso::control::auth::{Auth, Role};

#[path = "support/browser.rs"]
mod browser;
#[path = "support/console.rs"]
mod console;
#[path = "support/scenes.rs"]
mod scenes;

use browser::Browser;
use console::{Console, some_view};
use scenes::busy_view;

/// A picture of one colour, or the one that MOISO_BOARD names, to look at the page with.
fn picture() -> Vec<u8> {
    if let Some(path) = std::env::var_os("MOISO_BOARD") {
        return std::fs::read(path).unwrap();
    }
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, 64, 36);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[30; 64 * 36 * 3]).unwrap();
    writer.finish().unwrap();
    out
}

fn token_url(console: &Console, role: Role) -> String {
    format!("http://{}/#token={}", console.address, console.auth.one_time(role, "Quầy hướng dẫn"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_signs_in_puts_a_notice_and_calls_a_number() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&token_url(&console, Role::Operator), 1440, 1000).await;
    page.until("document.getElementById('who').textContent === 'Quầy hướng dẫn · nhân viên'").await;
    assert_eq!(
        page.value("location.href").await,
        format!("http://{}/", console.address),
        "the token is gone"
    );
    page.until("document.getElementById('picture').naturalWidth > 0").await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;

    page.value("location.hash = '#thong-bao'").await;
    page.until("!document.getElementById('notices').hidden").await;
    page.value("document.getElementById('text').value = 'Hết số <img src=x onerror=document.title=1>'").await;
    page.click("#notice-form .main").await;
    page.until("document.querySelectorAll('#notice-list li').length === 1").await;
    let shown = page.value("document.querySelector('#notice-list li p').textContent").await;
    assert_eq!(
        shown, "Hết số <img src=x onerror=document.title=1>",
        "markup is shown as the text that it is"
    );
    assert_eq!(page.value("document.querySelectorAll('#notice-list img').length").await, 0);

    page.value("location.hash = '#sanh'").await;
    page.value("document.getElementById('ticket').value = 'a012'").await;
    page.value("document.getElementById('counter').value = '5'").await;
    page.value("document.getElementById('lane').value = 'elderly'").await;
    page.click("#call-form .main").await;
    page.until("document.getElementById('call-done').textContent === 'Đã gọi A012, Quầy 5.'").await;

    page.value("location.hash = '#thong-bao'").await;
    page.value("document.getElementById('text').value = 'Nghỉ trưa'").await;
    page.value("document.getElementById('span').value = 'until'").await;
    page.value("document.getElementById('span').dispatchEvent(new Event('change'))").await;
    page.value("document.getElementById('until').value = '23h59'").await;
    page.click("#notice-form .main").await;
    page.until("document.querySelectorAll('#notice-list li').length === 2").await;
    let facts = page.value("document.querySelectorAll('#notice-list small')[1].textContent").await;
    assert!(facts.as_str().unwrap().starts_with("đến 23:59"), "{facts}");
    page.click("#notice-list li:nth-child(2) [data-spot$='/end']").await;
    page.until("document.querySelectorAll('#notice-list li').length === 1").await;
    page.click("#notice-list [data-spot$=\"/end\"]").await;
    page.until("document.querySelectorAll('#notice-list li').length === 0").await;
    {
        let given = console.given.lock().unwrap();
        let call =
            given.inputs.iter().find_map(|i| if let Input::CallReceived(c) = i { Some(c) } else { None });
        assert_eq!(call.unwrap().ticket.as_str(), "A012");
    }
    assert_eq!(page.complaints().await, Vec::<String>::new(), "no error, no refused resource");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_keeps_its_session_over_a_reload_and_says_what_is_wrong_with_a_field() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&token_url(&console, Role::Operator), 360, 740).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    page.value("location.hash = '#thong-bao'").await;
    page.until("!document.getElementById('notices').hidden").await;
    page.value("document.getElementById('text').value = 'Ch\\u200bào'").await;
    page.click("#notice-form .main").await;
    page.until("document.getElementById('text').getAttribute('aria-invalid') === 'true'").await;
    let why = page.value("document.getElementById('notice-error').textContent").await;
    assert_eq!(why, "Nội dung có ký tự ẩn hoặc ký tự điều khiển, hãy gõ lại.");
    assert_eq!(
        page.value("document.documentElement.scrollWidth <= 360").await,
        true,
        "nothing is cut off on a phone"
    );
    page.reload().await;
    page.until("document.getElementById('who').textContent === 'Quầy hướng dẫn · nhân viên'").await;
    console.view.send_replace(Arc::new(BoardView { revision: 2, counters: Vec::new(), ..some_view(2) }));
    page.until("document.querySelectorAll('#pad li').length === 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_by_itself_and_what_was_called_meanwhile_is_called_once() {
    let mut console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&token_url(&console, Role::Operator), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    console.stop();
    (&mut console.served).await.unwrap();
    page.until("document.getElementById('link').textContent === 'Mất kết nối, đang thử lại…'").await;
    page.value("document.getElementById('ticket').value = 'B107'").await;
    page.value("document.getElementById('counter').value = '2'").await;
    page.click("#call-form .main").await;
    let listener = tokio::net::TcpListener::bind(console.address).await.unwrap();
    let again = Console::on(listener, Arc::clone(&console.auth), picture());
    page.until("document.getElementById('call-done').textContent === 'Đã gọi B107, Quầy 2.'").await;
    page.until("document.getElementById('link').textContent === '● Đang hoạt động'").await;
    let calls = |given: &[Input]| given.iter().filter(|i| matches!(i, Input::CallReceived(_))).count();
    assert_eq!(calls(&again.given.lock().unwrap().inputs), 1);
    assert_eq!(calls(&console.given.lock().unwrap().inputs), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_the_page_shows_the_board_and_how_to_get_one() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&format!("http://{}/", console.address), 1440, 900).await;
    page.until("!document.getElementById('no-tokens').hidden").await;
    page.until("document.getElementById('picture').naturalWidth > 0").await;
    assert_eq!(page.value("document.getElementById('calls').hidden").await, true);
    for _ in 0..10 {
        page.value("document.getElementById('token').value = 'moiso_nobody_guess'").await;
        page.click("#sign-in-form .main").await;
        page.until(
            "document.getElementById('sign-in-error').textContent.startsWith('Mã truy cập không đúng')",
        )
        .await;
    }
    // The eleventh is not looked at, and the page says why and for how long.
    page.value("document.getElementById('token').value = 'moiso_nobody_guess'").await;
    page.click("#sign-in-form .main").await;
    page.until(
        "document.getElementById('sign-in-error').textContent.startsWith('Đăng nhập sai quá nhiều lần')",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_the_number_and_whether_it_is_mine() {
    use moiso::board::call::{CallId, Kind, Lane, Series, Ticket};
    use moiso::board::view::{MissedCall, QueueView, Spot};
    let console = Console::with(Auth::in_memory(), picture()).await;
    let view = some_view(2);
    let spot = Spot {
        call: CallId::parse("c").unwrap(),
        ticket: Ticket::parse("A012").unwrap(),
        counter: view.counters[4].counter.clone(),
        kind: Kind::Call,
        lane: Lane::Elderly,
        slot: None,
        holder: None,
        since: moiso::clock::Millis::ZERO,
    };
    let queue = QueueView {
        series: Series::parse("A").unwrap(),
        label: Some("Đất đai".into()),
        waiting: 6,
        next: ["A021", "A022", "A026"].map(|t| Ticket::parse(t).unwrap()).to_vec(),
        wait_minutes: Some(12),
        left_today: None,
    };
    let missed = MissedCall { ticket: Ticket::parse("A014").unwrap(), counter: None, at: console::now() };
    let view = BoardView { spotlight: vec![spot], queues: vec![queue], missed: vec![missed], ..view };
    console.view.send_replace(Arc::new(view.clone()));
    let page = Browser::open(&format!("http://{}/now", console.address), 360, 740).await;
    page.until("document.getElementById('number').textContent === 'A012'").await;
    assert_eq!(page.value("document.getElementById('place').textContent").await, "→ Quầy 5");
    let mine = |ticket: &str| {
        format!(
            "(() => {{ const i = document.getElementById('ticket'); i.value = '{ticket}'; \
             i.dispatchEvent(new Event('input')); return document.getElementById('answer').textContent; }})()"
        )
    };
    for (ticket, answer) in [
        ("a026", "Còn 2 người trước bạn"),
        ("A021", "Bạn là người tiếp theo"),
        ("A012", "Mời bạn đến Quầy 5"),
        ("A011", "Đã gọi bạn đến Quầy 1"),
        // Nobody came; the counter still shows the number.
        ("A014", "Số của bạn đã được gọi"),
        ("Z999", "Chưa đến lượt"),
        // The list is the queue's word; who is not in it has at least all of it before them.
        ("A030", "Chưa đến lượt"),
    ] {
        assert_eq!(page.value(&mine(ticket)).await, answer, "{ticket}");
    }
    let more = "document.getElementById('more').textContent";
    assert_eq!(page.value(more).await, "ít nhất 3 người trước bạn · số gần nhất đã gọi: A012");
    page.value(&mine("A026")).await;
    assert_eq!(page.value(more).await, "chờ khoảng 12 phút · lĩnh vực đất đai");
    assert_eq!(page.value("document.documentElement.scrollWidth <= 360").await, true);
    // Notices stand below the numbers, unless one is about life and limb.
    let order = "Array.from(document.querySelectorAll('main section'), (part) => part.id).join()";
    assert_eq!(page.value(order).await, ",mine,recent-part,notices-part,counters-part");
    let mut alarm = busy_view(3).ticker.remove(0);
    alarm.level = moiso::board::state::Level::Emergency;
    console.view.send_replace(Arc::new(BoardView { emergency: Some(alarm), ..view.clone() }));
    page.until(&format!("{order} === 'notices-part,,mine,recent-part,counters-part'")).await;
    console.view.send_replace(Arc::new(view));
    page.until(&format!("{order} === ',mine,recent-part,notices-part,counters-part'")).await;
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

async fn says(page: &Browser, id: &str, words: &str) {
    page.until(&format!("document.getElementById('{id}').textContent === '{words}'")).await;
}

/// What the hub was given, without the notices.
fn told(console: &Console) -> Vec<String> {
    let given = console.given.lock().unwrap();
    let told = given.inputs.iter().map(|input| match input {
        Input::CallReceived(call) => format!("{} {} {}", call.kind.as_str(), call.ticket, call.counter),
        Input::CounterChanged { counter, state } => {
            let back = state
                .reopens
                .map_or_else(String::new, |time| format!(" {:02}:{:02}", time.hour(), time.minute()));
            format!("{} {counter}{back}", state.mode.as_str())
        }
        other => format!("{other:?}"),
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_is_run_by_keyboard_alone() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    console.view.send_replace(Arc::new(busy_view(2)));
    let page = Browser::open(&token_url(&console, Role::Operator), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    says(&page, "resting", "Quầy 8 tạm nghỉ").await;
    // The hall's own names were there before anything was shown.
    let third = "document.querySelector('#counter [value=\"3\"]').textContent";
    assert_eq!(page.value(third).await, "Quầy 3 · Người được ủy quyền");
    for (counter, what) in [("5", "Người cao tuổi · Ưu tiên"), ("8", "Mở lại lúc 10:00 · Tiếp nhận hồ sơ")]
    {
        let cell = format!("document.querySelector('#pad [data-counter=\"{counter}\"] .what').textContent");
        assert_eq!(page.value(&cell).await, what);
    }

    // A number of two digits, and the counter's present ticket called again.
    page.press(&["1", "1", "l"]).await;
    says(&page, "call-done", "Đã gọi lại E010, Quầy 11.").await;
    page.press(&["5", "v"]).await;
    says(&page, "call-done", "Đã ghi vắng A012, Quầy 5.").await;

    // The next one is suggested from the queue's own list, and only called on Enter.
    page.press(&["5", "g"]).await;
    page.until("document.activeElement.id === 'ticket'").await;
    assert_eq!(page.value("document.getElementById('ticket').value").await, "A013");
    page.press(&["Enter"]).await;
    says(&page, "call-done", "Đã gọi A013, Quầy 5.").await;
    // Typed over the suggestion; letters in a field are letters.
    page.press(&["Escape", "7", "g"]).await;
    page.until("document.activeElement.id === 'ticket'").await;
    page.press(&["v", "1", "2", "Enter"]).await;
    says(&page, "call-done", "Đã gọi V12, Quầy 7.").await;

    // A pause asks until when; an open counter pauses, a paused one opens at once.
    page.press(&["Escape", "3", "n"]).await;
    page.until("document.getElementById('dialog').open && document.activeElement.id === 'dialog-text'").await;
    page.press(&["10h"]).await;
    page.press(&["Enter"]).await;
    says(&page, "call-done", "Quầy 3 tạm nghỉ đến 10:00.").await;
    page.press(&["8", "n"]).await;
    says(&page, "call-done", "Đã mở Quầy 8.").await;

    // Sent on to another counter.
    page.press(&["2", "c"]).await;
    page.until("document.activeElement.id === 'counter'").await;
    page.value("document.getElementById('counter').value = '6'").await;
    page.click("[data-kind=transfer]").await;
    says(&page, "call-done", "Đã chuyển B107, Quầy 6.").await;

    // A counter that is not there, nothing chosen, and turned off.
    page.value("document.activeElement.blur()").await;
    page.press(&["0"]).await;
    says(&page, "keys-now", "Không có Quầy 0.").await;
    page.press(&["l"]).await;
    says(&page, "keys-now", "Gõ số quầy trước.").await;
    page.click("#keys-on").await;
    page.value("document.activeElement.blur()").await;
    page.press(&["5", "l"]).await;
    assert_eq!(
        told(&console),
        [
            "recall E010 11",
            "absent A012 5",
            "call A013 5",
            "call V12 7",
            "paused 3 10:00",
            "open 8",
            "transfer B107 6"
        ]
    );
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_changed_and_put_in_order_and_an_emergency_is_asked_about_first() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&token_url(&console, Role::Operator), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    page.value("location.hash = '#thong-bao'").await;
    page.until("!document.getElementById('notices').hidden").await;
    let fill = |text: &str| {
        format!(
            "(() => {{ const t = document.getElementById('text'); t.value = '{text}'; t.dispatchEvent(new Event('input')); }})()"
        )
    };
    for (text, count) in [("Một", 1), ("Hai", 2)] {
        page.value(&fill(text)).await;
        page.click("#notice-send").await;
        page.until(&format!("document.querySelectorAll('#notice-list li').length === {count}")).await;
    }
    let texts = "Array.from(document.querySelectorAll('#notice-list p'), (p) => p.textContent).join()";
    // By keyboard: the last of a level cannot go down any more, and whoever moved it is still on it.
    page.value("document.querySelectorAll('#notice-list [data-spot$=\"/down\"]')[0].focus()").await;
    page.press(&["Enter"]).await;
    page.until(&format!("{texts} === 'Hai,Một'")).await;
    assert_eq!(page.value("document.activeElement.getAttribute('aria-label')").await, "Đưa lên: Một");
    page.click("#notice-list li:nth-child(2) [data-spot$='/edit']").await;
    page.until("document.getElementById('text').value === 'Một' && document.activeElement.id === 'text'")
        .await;
    page.value(&fill("Một lần nữa")).await;
    page.click("#notice-send").await;
    says(&page, "notice-done", "Đã sửa thông báo.").await;
    page.until(&format!("{texts} === 'Hai,Một lần nữa'")).await;
    // One that is not the last keeps its place when it is changed.
    page.click("#notice-list li:nth-child(1) [data-spot$='/edit']").await;
    page.until("document.getElementById('text').value === 'Hai'").await;
    page.value(&fill("Hai lần")).await;
    page.click("#notice-send").await;
    page.until(&format!("{texts} === 'Hai lần,Một lần nữa'")).await;
    page.until("!document.getElementById('notice-send').hasAttribute('aria-disabled')").await;

    // How it will run: one short line stands, a long one passes in the time that it needs.
    page.value(&fill("Ngắn")).await;
    let time = "document.getElementById('preview-time').textContent";
    assert_eq!(page.value(time).await, "Vừa một dòng, đứng yên trên màn hình.");
    page.value(&fill(&"dài ".repeat(60))).await;
    let words = page.value(time).await.as_str().unwrap().to_owned();
    let seconds: f64 = words.split(' ').find_map(|word| word.parse().ok()).unwrap();
    // 240 letters of some 18 px and a strip of 1700, at 120 px a second.
    assert!((35.0..65.0).contains(&seconds), "{words}");

    page.value(&fill("Cháy")).await;
    page.value("document.getElementById('level').value = 'emergency'").await;
    page.value("document.getElementById('level').dispatchEvent(new Event('change'))").await;
    page.click("#notice-send").await;
    page.until("document.getElementById('dialog').open").await;
    page.click("#dialog-not").await;
    page.until("!document.getElementById('dialog').open").await;
    page.until("!document.getElementById('notice-send').hasAttribute('aria-disabled')").await;
    assert_eq!(console.given.lock().unwrap().notices.len(), 2, "nothing went out");
    page.click("#notice-send").await;
    page.until("document.getElementById('dialog').open").await;
    page.click("#dialog-done").await;
    page.until("document.querySelectorAll('#notice-list li').length === 3").await;

    // What is ended goes with its buttons; the keyboard goes on from the list, where no key ends the next one.
    page.value("document.querySelector('#notice-list [data-spot$=\"/end\"]').focus()").await;
    page.press(&["Enter"]).await;
    page.until("document.querySelectorAll('#notice-list li').length === 2").await;
    page.until("document.activeElement.id === 'notice-list'").await;
    // A word of what was done is gone when the next thing is wrong.
    says(&page, "notice-done", "Đã kết thúc thông báo.").await;
    page.value(&fill(&"a".repeat(501))).await;
    page.click("#notice-send").await;
    says(&page, "notice-error", "Nội dung dài quá 500 ký tự.").await;
    says(&page, "notice-done", "").await;
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_listens_on_their_own_computer_and_a_technician_turns_the_hall_down() {
    let mut console = Console::with(Auth::in_memory(), picture()).await;
    console.view.send_replace(Arc::new(busy_view(2)));
    let page = Browser::open(&token_url(&console, Role::Technician), 1440, 900).await;
    page.until("document.querySelectorAll('#sound-calls li').length === 4").await;
    page.click("#sound-calls button").await;
    page.until("document.getElementById('listen-words').textContent.startsWith('Loa đọc: “Mời công dân có số thứ tự')").await;

    page.until("document.getElementById('volume').value === '80'").await;
    page.value("document.getElementById('volume').value = '40'").await;
    page.value("document.getElementById('volume').dispatchEvent(new Event('change'))").await;
    says(&page, "sound-done", "Âm lượng sảnh 40 %.").await;
    let command = console.commands.recv().await.unwrap();
    assert_eq!((command.action.word(), command.by.as_deref()), ("volume", Some("Quầy hướng dẫn")));
    page.click("#mute").await;
    page.until("document.getElementById('sound-done').textContent.startsWith('Đã tắt tiếng')").await;
    assert!(matches!(
        console.given.lock().unwrap().inputs.last(),
        Some(Input::MuteChanged { muted: true, .. })
    ));

    let verdict = console.health.lock().unwrap().clone();
    let mut ill = verdict.clone();
    ill.ready = false;
    ill.detail["screen"]["link"] = "down".into();
    ill.detail["link_problem"] =
        serde_json::json!({ "code": "wrong-password", "what": "refused", "advice": "check" });
    *console.health.lock().unwrap() = ill;
    page.until("document.getElementById('link').textContent === '● Máy chủ MQTT: sai tên hoặc mật khẩu'")
        .await;
    page.value("location.hash = '#suc-khoe'").await;
    page.until(
        "document.querySelector('#health-list li.bad small').textContent.includes('mqtt.password_file')",
    )
    .await;
    *console.health.lock().unwrap() = verdict;
    page.until("document.getElementById('link').textContent === '● Đang hoạt động'").await;
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_sees_the_hall_and_has_nothing_to_press_that_would_be_refused() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&token_url(&console, Role::Viewer), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    let seen = |id: &str| format!("document.getElementById('{id}').checkVisibility()");
    for (id, visible) in [("pad", true), ("picture", true), ("call-form", false), ("sound-orders", false)] {
        assert_eq!(page.value(&seen(id)).await, visible, "{id}");
    }
    assert_eq!(page.value("document.querySelectorAll('#pad button').length").await, 0);
    page.value("location.hash = '#lich-su'").await;
    page.value("location.hash = '#thong-bao'").await;
    page.until("document.getElementById('live').checkVisibility()").await;
    assert_eq!(page.value(&seen("notices")).await, false);
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_with_a_name_is_reached_by_the_number_beside_it() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let mut view = some_view(2);
    // Counters 1, 3 and 5, and two with names: they get the numbers that are free.
    for (index, name) in [(1, "Thu phí"), (3, "Q")] {
        view.counters[index].counter = moiso::board::call::Counter::parse(name).unwrap();
        view.counters[index].ticket = moiso::board::call::Ticket::parse(&format!("N10{index}")).ok();
    }
    console.view.send_replace(Arc::new(view));
    let page = Browser::open(&token_url(&console, Role::Operator), 1440, 900).await;
    page.until("document.querySelectorAll('#pad kbd').length === 2").await;
    assert_eq!(page.value("document.querySelectorAll('#pad kbd')[0].textContent").await, "2");
    page.press(&["2"]).await;
    says(&page, "keys-now", "Đã chọn Quầy Thu phí.").await;
    page.press(&["l"]).await;
    page.until("document.getElementById('call-done').textContent === 'Đã gọi lại N101, Quầy Thu phí.'").await;
    page.press(&["4", "v"]).await;
    page.until("document.getElementById('call-done').textContent === 'Đã ghi vắng N103, Quầy Q.'").await;
    page.press(&["5", "l"]).await;
    page.until("document.getElementById('call-done').textContent === 'Đã gọi lại A015, Quầy 5.'").await;
    page.press(&["9"]).await;
    says(&page, "keys-now", "Không có Quầy 9.").await;
    assert_eq!(told(&console), ["recall N101 Thu phí", "absent N103 Q", "recall A015 5"]);
    assert_eq!(page.faults().await, Vec::<String>::new());
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_and_what_waits_is_listed_by_zone() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let page = Browser::open(&token_url(&console, Role::Technician), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    assert_eq!(page.value("document.getElementById('speech').children.length").await, 0);
    // On the page's own clock the call has waited for nine seconds.
    console.speech.send_replace(scenes::speech(jiff::Timestamp::now()));
    page.until("document.querySelectorAll('#speech li').length === 4").await;
    let text = page.value("document.getElementById('speech').innerText.replace(/\\s+/g, ' ')").await;
    let text = text.as_str().unwrap().to_owned();
    for words in [
        "Khu sanh",
        "A012 Quầy 5 · người cao tuổi đang đọc",
        "B107 Quầy 2 chờ",
        "Lời nhắn Mời <b>công dân</b> có hồ sơ đất đai đến quầy 3",
        "và 3 lượt nữa",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("lau-2"), "a zone with nothing to say takes no room");
    let state = page.value("document.getElementById('sound-state').textContent").await;
    assert!(state.as_str().unwrap().starts_with("có tiếng · còn 5 lượt · chờ lâu nhất 6"), "{state}");
    assert_eq!(page.value("document.querySelectorAll('#speech li b b').length").await, 0);
    // They wait longer with every second, and whoever is on a button stays there.
    page.value("document.querySelectorAll('#speech button')[1].focus()").await;
    let before = page.value("document.querySelectorAll('#speech small')[1].textContent").await;
    let before = before.as_str().unwrap().to_owned();
    page.until(&format!("document.querySelectorAll('#speech small')[1].textContent !== '{before}'")).await;
    assert_eq!(page.value("document.activeElement.getAttribute('aria-label')").await, "Nghe B107, Quầy 2");
    assert_eq!(page.faults().await, Vec::<String>::new());
    console.speech.send_modify(|speech| drop(speech.zones.remove(0)));
    page.until("document.getElementById('speech').children.length === 0").await;
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_in_a_ticket_or_a_label_is_a_text_on_both_pages() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let mut view = busy_view(2);
    let script = "<img src=x onerror=document.title=666>";
    view.counters[0].label = Some(script.to_owned());
    view.counters[0].noun = script.to_owned();
    view.ticker[0].text = script.to_owned();
    // As long as a ticket may be.
    let ticket = scenes::ticket("<b>A</b><i>");
    view.spotlight[0].ticket = ticket.clone();
    view.counters[4].ticket = Some(ticket);
    console.view.send_replace(Arc::new(view));
    let page = Browser::open(&token_url(&console, Role::Technician), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    assert_eq!(page.value("document.querySelector('#sound-calls b').textContent").await, "<b>A</b><i>");
    assert_eq!(page.value("document.querySelector('#pad .what').textContent").await, script);
    assert_eq!(page.value("document.querySelectorAll('#pad img, #sound-calls b b').length").await, 0);
    page.go(&format!("http://{}/now", console.address)).await;
    page.until("document.getElementById('number').textContent === '<b>A</b><i>'").await;
    assert_eq!(page.value("document.querySelector('#notices li').textContent").await, script);
    assert_eq!(page.value("document.querySelectorAll('main img, #number b').length").await, 0);
    assert_ne!(page.value("document.title").await, "666");
    assert_eq!(page.complaints().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_fills_in_what_the_board_knows_and_a_notice_goes_where_it_is_meant_to() {
    use moiso::screens::ScreenReport;
    let console = Console::with(Auth::in_memory(), picture()).await;
    console.view.send_replace(Arc::new(busy_view(2)));
    let page = Browser::open(&token_url(&console, Role::Operator), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 11").await;
    page.value("location.hash = '#/thong-bao'").await;
    page.until("!document.getElementById('notices').hidden").await;
    assert_eq!(page.value("document.getElementById('zones').hidden").await, true, "one zone is no choice");
    let template = |name: &str| {
        format!(
            "Array.from(document.querySelectorAll('#templates button')).find((b) => b.textContent === '{name}').click()"
        )
    };
    // What is left to say is selected, to be typed over.
    page.value(&template("Quầy tạm nghỉ")).await;
    page.until("document.activeElement.id === 'text'").await;
    page.press(&["7"]).await;
    let text = "document.getElementById('text').value";
    assert_eq!(page.value(text).await, "Quầy 8 tạm nghỉ đến 10 giờ, mời công dân đến quầy 7.");
    page.value("document.getElementById('qr').value = 'https://hall.example/now'").await;

    // A screen upstairs with a zone of its own.
    let heard = moiso::clock::Now { mono: moiso::clock::Millis::ZERO, wall: console::now() };
    console.screens.send_modify(|screens| {
        let report = ScreenReport { online: true, zones: vec!["tang-2".into()], ..ScreenReport::default() };
        screens.take("tang-2", report, heard);
    });
    page.until("document.querySelectorAll('#zone-boxes input:checked').length === 2").await;
    let choose = |zone: &str| format!("#zone-boxes input[value={zone}]");
    page.click(&choose("sanh")).await;
    page.click(&choose("tang-2")).await;
    page.click("#notice-send").await;
    says(&page, "notice-error", "Chưa chọn khu nào.").await;
    page.click(&choose("tang-2")).await;
    page.click("#notice-send").await;
    page.until("document.querySelectorAll('#notice-list li').length === 1").await;
    let facts = page.value("document.querySelector('#notice-list small').textContent").await;
    assert!(facts.as_str().unwrap().contains("khu tang-2 · có mã QR"), "{facts}");
    {
        let given = console.given.lock().unwrap();
        let zones: Vec<&str> = given.notices[0].zones.iter().map(moiso::board::call::Zone::as_str).collect();
        assert_eq!(
            (zones, given.notices[0].qr.as_deref()),
            (vec!["tang-2"], Some("https://hall.example/now"))
        );
    }
    assert_eq!(
        page.value("document.querySelectorAll('#zone-boxes input:checked').length").await,
        2,
        "the next one is for all again"
    );
    page.value(&template("Sơ tán")).await;
    assert_eq!(page.value("document.getElementById('level').value").await, "emergency");
    assert_eq!(page.complaints().await, Vec::<String>::new());
}
