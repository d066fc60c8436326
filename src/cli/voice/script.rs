//! The recording script, as Markdown or as a page to read from.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::ScriptArgs;
use crate::config::Config;
use crate::soak::report::escape;
use crate::speech::bank::Take;
use crate::speech::script::{Group, Unit};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    script: ScriptArgs,
    /// md or html
    #[arg(long, default_value = "md", value_parser = ["md", "html"])]
    format: String,
}

pub fn run(args: &Args, config: &Config) -> anyhow::Result<()> {
    let groups = args.script.groups(config)?;
    let text = if args.format == "html" { html(&groups, config) } else { markdown(&groups, config) };
    std::io::Write::write_all(&mut std::io::stdout().lock(), text.as_bytes())
        .context("cannot write the script")
}

const TITLE: &str = "Kịch bản thu giọng";
const HOW: [&str; 6] = [
    "Phòng yên tĩnh, micro cách miệng một gang tay, giữ nguyên khoảng cách từ đầu đến cuối. Thu WAV 48 kHz, một kênh.",
    "Đọc lần lượt từng dòng, không đọc số thứ tự ở đầu dòng. Giữa hai dòng im lặng ít nhất 1,5 giây.",
    "Đọc liền cả dòng, rõ, vừa phải, như đang mời người cao tuổi; không ngắt giữa dòng.",
    "Dòng kết thúc bằng dấu phẩy: giọng còn nối tiếp. Dòng kết thúc bằng dấu chấm: hạ giọng, hết câu.",
    "Đọc sai: không đọc lại ngay, đọc tiếp dòng sau; cuối buổi thu dòng sai thành tệp riêng, tên tệp là số của dòng (0012.wav). Không bỏ dòng nào.",
    "Thu thành một tệp dài, hoặc mỗi dòng một tệp đặt tên theo số: 0001.wav, 0002.wav …",
];

/// As it is read: a comma where the sentence goes on, a full stop where it ends.
pub(super) fn line(unit: &Unit) -> String {
    format!("{}{}", unit.words, if unit.take == Take::End { "." } else { "," })
}

/// The name of a group for whoever reads.
fn heading(group: &Group) -> String {
    let name = &group.name;
    let named = [
        ("series ", "Số thứ tự"),
        ("counter ", "Quầy"),
        ("lane ", "Đối tượng"),
        ("digits", "Chữ số"),
        ("number", "Số"),
    ];
    let found = named.iter().find(|(start, _)| name.starts_with(start));
    match found {
        Some((start, vi)) if start.ends_with(' ') => format!("{vi} {}", &name[start.len()..]),
        Some((_, vi)) => (*vi).to_owned(),
        None => "Lời mời xem bảng".to_owned(),
    }
}

fn numbered(groups: &[Group]) -> impl Iterator<Item = (&Group, usize)> {
    groups.iter().scan(1, |next, group| {
        let first = *next;
        *next += group.units.len();
        Some((group, first))
    })
}

fn markdown(groups: &[Group], config: &Config) -> String {
    let mut out = format!("# {TITLE} · {}\n\n", config.hall.title);
    for how in HOW {
        let _ = writeln!(out, "- {how}");
    }
    for (group, first) in numbered(groups) {
        let _ = writeln!(out, "\n## {}\n", heading(group));
        for (number, unit) in (first..).zip(&group.units) {
            let _ = writeln!(out, "{number}. {}", line(unit));
        }
    }
    out
}

const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}\
ol{list-style:none;padding:0}li{font-size:1.75rem;line-height:1.3;padding:.5rem 0;border-bottom:1px solid #ccc;\
display:flex;gap:1.5rem;break-inside:avoid}li b{font:1rem/2.2rem monospace;color:#666;min-width:3.5rem;text-align:right}";

fn html(groups: &[Group], config: &Config) -> String {
    let mut out = format!(
        "<!doctype html>\n<html lang=\"vi\"><meta charset=\"utf-8\"><title>{TITLE}</title><style>{STYLE}</style>\n\
         <h1>{TITLE} · {}</h1>\n<ul>",
        escape(&config.hall.title)
    );
    for how in HOW {
        let _ = write!(out, "<li style=\"font-size:1rem;border:0;display:list-item\">{how}</li>");
    }
    out.push_str("</ul>\n");
    for (group, first) in numbered(groups) {
        let _ = writeln!(out, "<h2>{}</h2>\n<ol>", escape(&heading(group)));
        for (number, unit) in (first..).zip(&group.units) {
            let _ = writeln!(out, "<li><b>{number:04}</b><span>{}</span></li>", escape(&line(unit)));
        }
        out.push_str("</ol>\n");
    }
    out
}
