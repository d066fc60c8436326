//! Where things stand: rows and columns by taffy, and how many columns, rows and pages the counters need.

use taffy::prelude::{
    AvailableSpace, Display, FromFr, FromLength, NodeId, Style, TaffyTree, fr, length, line,
};

use super::Rect;

/// One row or column.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Track {
    Px(f32),
    /// A share of what is left.
    Share(f32),
}

impl Track {
    fn template<T: FromLength + FromFr>(self) -> T {
        match self {
            Self::Px(px) => length(px),
            Self::Share(share) => fr(share),
        }
    }
}

/// Divides `area` into a grid, row by row; edges fall on whole pixels.
pub fn grid(area: Rect, columns: &[Track], rows: &[Track], gap: f32) -> Vec<Rect> {
    let mut tree: TaffyTree<()> = TaffyTree::with_capacity(columns.len() * rows.len() + 1);
    let mut cells: Vec<NodeId> = Vec::with_capacity(columns.len() * rows.len());
    for row in 1..=rows.len() as i16 {
        for column in 1..=columns.len() as i16 {
            let style = Style { grid_row: line(row), grid_column: line(column), ..Style::default() };
            cells.extend(tree.new_leaf(style));
        }
    }
    let style = Style {
        display: Display::Grid,
        size: taffy::Size { width: length(area.w), height: length(area.h) },
        gap: taffy::Size { width: length(gap), height: length(gap) },
        grid_template_columns: columns.iter().map(|t| t.template()).collect(),
        grid_template_rows: rows.iter().map(|t| t.template()).collect(),
        ..Style::default()
    };
    let Ok(root) = tree.new_with_children(style, &cells) else { return Vec::new() };
    let space = taffy::Size { width: AvailableSpace::MaxContent, height: AvailableSpace::MaxContent };
    if tree.compute_layout(root, space).is_err() {
        return Vec::new();
    }
    cells
        .iter()
        .filter_map(|cell| tree.layout(*cell).ok())
        .map(|l| Rect {
            x: area.x + l.location.x,
            y: area.y + l.location.y,
            w: l.size.width,
            h: l.size.height,
        })
        .collect()
}

/// Rows of `area`, from the top.
pub fn rows(area: Rect, tracks: &[Track], gap: f32) -> Vec<Rect> {
    grid(area, &[Track::Share(1.0)], tracks, gap)
}

/// Columns of `area`, from the left.
pub fn columns(area: Rect, tracks: &[Track], gap: f32) -> Vec<Rect> {
    grid(area, tracks, &[Track::Share(1.0)], gap)
}

impl Rect {
    pub fn inset(self, x: f32, y: f32) -> Self {
        Self { x: self.x + x, y: self.y + y, w: (self.w - 2.0 * x).max(0.0), h: (self.h - 2.0 * y).max(0.0) }
    }

    pub fn right(self) -> f32 {
        self.x + self.w
    }

    pub fn bottom(self) -> f32 {
        self.y + self.h
    }

    /// The same rectangle so far to the right and down.
    pub fn moved(self, (right, down): (f32, f32)) -> Self {
        Self { x: self.x + right, y: self.y + down, ..self }
    }

    /// The same rectangle without `left` pixels on the left and `right` on the right.
    pub fn trimmed(self, left: f32, right: f32) -> Self {
        Self { x: self.x + left, w: (self.w - left - right).max(0.0), ..self }
    }

    /// The part of the rectangle from `from` on, `height` high.
    pub fn band(self, from: f32, height: f32) -> Self {
        Self { y: self.y + from, h: height, ..self }
    }

    /// Whether the two share more than a hair's breadth.
    pub fn overlaps(self, other: Self) -> bool {
        let wide = self.right().min(other.right()) - self.x.max(other.x);
        let high = self.bottom().min(other.bottom()) - self.y.max(other.y);
        wide > 0.01 && high > 0.01
    }

    pub fn contains(self, other: Self) -> bool {
        other.x >= self.x - 0.01
            && other.y >= self.y - 0.01
            && other.right() <= self.right() + 0.01
            && other.bottom() <= self.bottom() + 0.01
    }

    /// The smallest rectangle that holds both.
    pub fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        Self { x, y, w: self.right().max(other.right()) - x, h: self.bottom().max(other.bottom()) - y }
    }
}
