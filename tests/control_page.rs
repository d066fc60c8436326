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

use browser::Browser;
use console::{Console, some_view};

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
    let mut page = Browser::open(&token_url(&console, Role::Operator), 1440, 1000).await;
    page.until("document.getElementById('who').textContent === 'Quầy hướng dẫn · nhân viên'").await;
    assert_eq!(
        page.value("location.href").await,
        format!("http://{}/", console.address),
        "the token is gone"
    );
    page.until("document.getElementById('picture').naturalWidth > 0").await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;

    page.value("document.getElementById('text').value = 'Hết số <img src=x onerror=document.title=1>'").await;
    page.value("document.querySelector('#notice-form .main').click()").await;
    page.until("document.querySelectorAll('#notice-list li').length === 1").await;
    let shown = page.value("document.querySelector('#notice-list li p').textContent").await;
    assert_eq!(
        shown, "Hết số <img src=x onerror=document.title=1>",
        "markup is shown as the text that it is"
    );
    assert_eq!(page.value("document.querySelectorAll('#notice-list img').length").await, 0);

    page.value("document.getElementById('ticket').value = 'a012'").await;
    page.value("document.getElementById('counter').value = '5'").await;
    page.value("document.getElementById('lane').value = 'elderly'").await;
    page.value("document.querySelector('#call-form .main').click()").await;
    page.until("document.getElementById('call-done').textContent === 'Đã gọi A012, Quầy 5.'").await;

    page.value("document.getElementById('text').value = 'Nghỉ trưa'").await;
    page.value("document.getElementById('span').value = 'until'").await;
    page.value("document.getElementById('span').dispatchEvent(new Event('change'))").await;
    page.value("document.getElementById('until').value = '23h59'").await;
    page.value("document.querySelector('#notice-form .main').click()").await;
    page.until("document.querySelectorAll('#notice-list li').length === 2").await;
    let facts = page.value("document.querySelectorAll('#notice-list small')[1].textContent").await;
    assert!(facts.as_str().unwrap().starts_with("đến 23:59"), "{facts}");
    page.picture("console-1440").await;
    page.value("document.querySelectorAll('#notice-list button')[1].click()").await;
    page.until("document.querySelectorAll('#notice-list li').length === 1").await;
    page.value("document.querySelector('#notice-list button').click()").await;
    page.until("document.querySelectorAll('#notice-list li').length === 0").await;
    {
        let given = console.given.lock().unwrap();
        let call =
            given.inputs.iter().find_map(|i| if let Input::CallReceived(c) = i { Some(c) } else { None });
        assert_eq!(call.unwrap().ticket.as_str(), "A012");
    }
    assert_eq!(page.complaints, Vec::<String>::new(), "no error, no refused resource");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_keeps_its_session_over_a_reload_and_says_what_is_wrong_with_a_field() {
    let console = Console::with(Auth::in_memory(), picture()).await;
    let mut page = Browser::open(&token_url(&console, Role::Operator), 360, 740).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    page.value("document.getElementById('text').value = 'Ch\\u200bào'").await;
    page.value("document.querySelector('#notice-form .main').click()").await;
    page.until("document.getElementById('text').getAttribute('aria-invalid') === 'true'").await;
    let why = page.value("document.getElementById('notice-error').textContent").await;
    assert_eq!(why, "Nội dung có ký tự ẩn hoặc ký tự điều khiển, hãy gõ lại.");
    assert_eq!(
        page.value("document.documentElement.scrollWidth <= 360").await,
        true,
        "nothing is cut off on a phone"
    );
    page.picture("console-360").await;
    page.value("location.reload()").await;
    page.until("document.getElementById('who').textContent === 'Quầy hướng dẫn · nhân viên'").await;
    console.view.send_replace(Arc::new(BoardView { revision: 2, counters: Vec::new(), ..some_view(2) }));
    page.until("document.querySelectorAll('#pad li').length === 0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_comes_back_by_itself_and_what_was_called_meanwhile_is_called_once() {
    let mut console = Console::with(Auth::in_memory(), picture()).await;
    let mut page = Browser::open(&token_url(&console, Role::Operator), 1440, 900).await;
    page.until("document.querySelectorAll('#pad li').length === 5").await;
    console.stop();
    (&mut console.served).await.unwrap();
    page.until("document.getElementById('link').textContent === 'Mất kết nối, đang thử lại…'").await;
    page.value("document.getElementById('ticket').value = 'B107'").await;
    page.value("document.getElementById('counter').value = '2'").await;
    page.value("document.querySelector('#call-form .main').click()").await;
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
    let mut page = Browser::open(&format!("http://{}/", console.address), 1440, 900).await;
    page.until("!document.getElementById('no-tokens').hidden").await;
    page.until("document.getElementById('picture').naturalWidth > 0").await;
    assert_eq!(page.value("document.getElementById('calls').hidden").await, true);
    page.value("document.getElementById('token').value = 'moiso_nobody_guess'").await;
    page.value("document.querySelector('#sign-in-form .main').click()").await;
    page.until("document.getElementById('sign-in-error').textContent.startsWith('Mã truy cập không đúng')")
        .await;
    page.picture("console-sign-in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_shows_the_number_and_whether_it_is_mine() {
    use moiso::board::call::{CallId, Kind, Lane, Series, Ticket};
    use moiso::board::view::{QueueView, Spot};
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
    console.view.send_replace(Arc::new(BoardView { spotlight: vec![spot], queues: vec![queue], ..view }));
    let mut page = Browser::open(&format!("http://{}/now", console.address), 360, 740).await;
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
        ("Z999", "Chưa đến lượt"),
    ] {
        assert_eq!(page.value(&mine(ticket)).await, answer, "{ticket}");
    }
    page.value(&mine("A026")).await;
    page.picture("now-360").await;
    assert_eq!(page.value("document.documentElement.scrollWidth <= 360").await, true);
    assert_eq!(page.complaints, Vec::<String>::new());
}
