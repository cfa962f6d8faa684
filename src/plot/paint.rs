//! Draws a scene.

use std::ops::Range;

use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scene::{BINS, Cells, Point, Scene};
use super::ticks;

const INK: RGBColor = RGBColor(40, 44, 52);
const CELL: RGBColor = RGBColor(78, 112, 154);
const FRONT: RGBColor = RGBColor(214, 96, 20);
const RECIPE: RGBColor = RGBColor(22, 130, 70);
const REFERENCE: RGBColor = RGBColor(180, 30, 45);
const KNEE: RGBColor = RGBColor(106, 61, 154);

/// Where text begins and ends, in pixels from the left.
const TEXT: Range<i32> = 84..1172;
/// The most ticks of an axis.
const TICKS: usize = 12;

type Chart<'a, 'c, B> = ChartContext<'a, B, Cartesian2d<LogCoord<f64>, RangedCoordf64>>;
type Area<B> = DrawingArea<B, Shift>;

pub(super) fn paint<B: DrawingBackend>(area: &Area<B>, scene: &Scene) -> Result<(), String> {
    picture(area, scene).map_err(|error| error.to_string())
}

type Drawn<B, T = ()> = Result<T, DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

fn picture<B: DrawingBackend>(area: &Area<B>, scene: &Scene) -> Drawn<B> {
    area.fill(&WHITE)?;
    let top = head(area, scene)?;
    let [[least, most], [low, high]] = [scene.energy, scene.accuracy];
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_top(top)
        .margin_right(28)
        .x_label_area_size(56)
        .y_label_area_size(68)
        .build_cartesian_2d((least..most).log_scale(), low..high)?;
    axes(area, &chart, scene)?;
    cells(&mut chart, scene)?;
    regions(&mut chart, scene)?;
    front(&mut chart, scene)?;
    marks(&mut chart, scene)?;
    area.present()
}

/// Where a text stands beside its point.
const LEFT: Pos = Pos {
    h_pos: HPos::Left,
    v_pos: VPos::Center,
};

/// Writes a text: the one way by which texts come into a picture. What XML forbids, and what changes the order of letters,
/// is replaced.
fn write<B: DrawingBackend>(
    area: &Area<B>,
    text: &str,
    at: (i32, i32),
    style: TextStyle<'_>,
) -> Drawn<B> {
    area.draw(&Text::new(drawable(text), at, style))
}

fn drawable(text: &str) -> String {
    let is_replaced = |c: char| {
        c.is_control()
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}')
    };
    text.replace(is_replaced, "\u{fffd}")
}

fn font(size: u32) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Normal)
}

/// A text's width in pixels.
fn width<B: DrawingBackend>(area: &Area<B>, text: &str, style: &TextStyle<'_>) -> Drawn<B, i32> {
    let (width, _) = area.estimate_text_size(&drawable(text), style)?;
    Ok(i32::try_from(width).unwrap_or(i32::MAX))
}

/// Title, notes and legend; where they end.
fn head<B: DrawingBackend>(area: &Area<B>, scene: &Scene) -> Drawn<B, i32> {
    let style = font(24).style(FontStyle::Bold).color(&INK).pos(LEFT);
    let title = cut(area, &scene.title, &style)?;
    write(area, &title, (TEXT.start, 30), style)?;
    let mut y = 58;
    for note in &scene.notes {
        let style = font(15).color(&INK.mix(0.75)).pos(LEFT);
        let note = cut(area, note, &style)?;
        write(area, &note, (TEXT.start, y), style)?;
        y += 20;
    }
    y += 4;
    let mut x = TEXT.start;
    for (symbol, text) in entries(scene) {
        let style = font(15).color(&INK).pos(LEFT);
        let width = 26 + width(area, &text, &style)?;
        if x > TEXT.start && x + width > TEXT.end {
            (x, y) = (TEXT.start, y + 22);
        }
        symbol.draw(area, (x + 8, y))?;
        write(area, &text, (x + 26, y), style)?;
        x += width + 24;
    }
    Ok(y + 20)
}

/// As much of a text as there is space for in a line.
fn cut<B: DrawingBackend>(area: &Area<B>, text: &str, style: &TextStyle<'_>) -> Drawn<B, String> {
    let space = TEXT.end - TEXT.start;
    if width(area, text, style)? <= space {
        return Ok(text.to_owned());
    }
    let mut start: Vec<char> = text.chars().take(400).collect();
    loop {
        let cut: String = start.iter().chain(&['…']).collect();
        if start.pop().is_none() || width(area, &cut, style)? <= space {
            return Ok(cut);
        }
    }
}

/// What a legend explains.
#[derive(Clone, Copy)]
enum Symbol {
    Cell,
    Density,
    Front,
    Knee,
    Reference,
    Thrifty,
    Recipe,
}

impl Symbol {
    fn draw<B: DrawingBackend>(self, area: &Area<B>, (x, y): (i32, i32)) -> Drawn<B> {
        let at = |points: &[(i32, i32)]| -> Vec<(i32, i32)> {
            points.iter().map(|(dx, dy)| (x + dx, y + dy)).collect()
        };
        match self {
            Self::Cell => area.draw(&Circle::new((x, y), 3, CELL.mix(0.6).filled())),
            Self::Density => {
                for (place, share) in [0.0, 0.5, 1.0].into_iter().enumerate() {
                    let left = x - 9 + 6 * place as i32;
                    let square = [(left, y - 4), (left + 6, y + 4)];
                    area.draw(&Rectangle::new(square, shade(share).filled()))?;
                }
                Ok(())
            }
            Self::Front => {
                let line = at(&[(-9, 0), (9, 0)]);
                area.draw(&PathElement::new(line, FRONT.stroke_width(2)))?;
                area.draw(&Circle::new((x, y), 3, FRONT.filled()))
            }
            Self::Knee => area.draw(&Polygon::new(at(&DIAMOND), KNEE.filled())),
            Self::Reference => area.draw(&TriangleMarker::new((x, y), 9, REFERENCE.filled())),
            Self::Thrifty => {
                let frame = [(x - 9, y - 6), (x + 9, y + 6)];
                area.draw(&Rectangle::new(frame, RECIPE.mix(0.10).filled()))?;
                area.draw(&Rectangle::new(frame, RECIPE.stroke_width(2)))
            }
            Self::Recipe => area.draw(&Circle::new((x, y), 5, RECIPE.filled())),
        }
    }
}

/// The knee's mark.
const DIAMOND: [(i32, i32); 4] = [(0, -8), (8, 0), (0, 8), (-8, 0)];

/// The entries of the legend: what the picture shows, no more.
fn entries(scene: &Scene) -> Vec<(Symbol, String)> {
    let cells = match scene.cells {
        Cells::Each(_) => (Symbol::Cell, "a cell"),
        Cells::Counts(_) => (Symbol::Density, "cells: the darker, the more"),
    };
    let mut entries = vec![
        cells,
        (Symbol::Front, "front: no cell is better in both"),
        (Symbol::Reference, "usual choice: the reference"),
    ];
    if scene.knee.is_some() {
        entries.push((Symbol::Knee, "knee"));
    }
    if scene.thrifty().next().is_some() {
        let text = "good trade-off: recipes that save half and more";
        entries.push((Symbol::Thrifty, text));
    }
    let entries = entries.into_iter();
    let mut entries: Vec<_> = entries
        .map(|(symbol, text)| (symbol, text.to_owned()))
        .collect();
    if let Some(saving) = &scene.saving {
        entries.push((Symbol::Recipe, format!("recipes; best recipe: {saving}")));
    }
    entries
}

/// Grid, ticks and names of both axes.
fn axes<B: DrawingBackend>(area: &Area<B>, chart: &Chart<'_, '_, B>, scene: &Scene) -> Drawn<B> {
    let plot = chart.plotting_area();
    let (columns, rows) = plot.get_pixel_range();
    let [(least, _), (low, _)] = [scene.energy, scene.accuracy].map(|[from, to]| (from, to));
    let grid = INK.mix(0.12);
    let style = font(15).color(&INK);
    let below = style.pos(Pos::new(HPos::Center, VPos::Top));
    let mut free = i32::MIN;
    for tick in ticks::logarithmic(scene.energy, TICKS) {
        let (x, _) = plot.map_coordinate(&(tick.at, low));
        area.draw(&PathElement::new([(x, rows.start), (x, rows.end)], grid))?;
        let half = width(area, &tick.label, &below)? / 2 + 4;
        if x - half > free {
            write(area, &tick.label, (x, rows.end + 6), below.clone())?;
            free = x + half;
        }
    }
    let beside = style.pos(Pos::new(HPos::Right, VPos::Center));
    for tick in ticks::linear(scene.accuracy, TICKS) {
        let (_, y) = plot.map_coordinate(&(least, tick.at));
        area.draw(&PathElement::new(
            [(columns.start, y), (columns.end, y)],
            grid,
        ))?;
        write(area, &tick.label, (columns.start - 6, y), beside.clone())?;
    }
    let frame = [
        (columns.start, rows.start),
        (columns.start, rows.end),
        (columns.end, rows.end),
    ];
    area.draw(&PathElement::new(frame, INK.mix(0.6)))?;
    let style = font(17).color(&INK);
    let below = style.pos(Pos::new(HPos::Center, VPos::Bottom));
    let middle = (columns.start + columns.end) / 2;
    let text = "training energy, kWh (logarithmic)";
    write(area, text, (middle, rows.end + 54), below)?;
    let turned = style.transform(FontTransform::Rotate270);
    let turned = turned.pos(Pos::new(HPos::Center, VPos::Top));
    let middle = (rows.start + rows.end) / 2;
    write(
        area,
        &format!("{}, %", scene.accuracy_name),
        (14, middle),
        turned,
    )
}

/// The color of a share of the most cells.
fn shade(share: f64) -> RGBColor {
    let shade = |light: f64, dark: f64| (light + (dark - light) * share) as u8;
    RGBColor(shade(226.0, 48.0), shade(234.0, 84.0), shade(243.0, 130.0))
}

/// All cells: each, or the darker, the more.
fn cells<B: DrawingBackend>(chart: &mut Chart<'_, '_, B>, scene: &Scene) -> Drawn<B> {
    let counts = match &scene.cells {
        Cells::Each(points) => {
            let size = if points.len() > 300 { 2 } else { 3 };
            let points = points.iter();
            let points = points.map(|&point| Circle::new(point, size, CELL.mix(0.6).filled()));
            chart.draw_series(points)?;
            return Ok(());
        }
        Cells::Counts(counts) => counts,
    };
    let most = counts.iter().map(|bin| bin.2).max().unwrap_or(1);
    let [[least, greatest], [low, high]] = [scene.energy, scene.accuracy];
    let [columns, rows] = BINS.map(|bins| bins as f64);
    let x = |column: usize| least * (greatest / least).powf(column as f64 / columns);
    let y = |row: usize| low + (high - low) * row as f64 / rows;
    let bins = counts.iter().map(|&(column, row, count)| {
        let share = f64::from(count).ln_1p() / f64::from(most).ln_1p();
        Rectangle::new(
            [(x(column), y(row)), (x(column + 1), y(row + 1))],
            shade(share).filled(),
        )
    });
    chart.draw_series(bins)?;
    Ok(())
}

/// Where people usually look, and where they should.
fn regions<B: DrawingBackend>(chart: &mut Chart<'_, '_, B>, scene: &Scene) -> Drawn<B> {
    let [low, high] = scene.accuracy;
    let pad = 0.03 * (high - low);
    let around = |points: &[Point]| {
        let fold =
            |of: fn(&Point) -> f64, pick: fn(f64, f64) -> f64| points.iter().map(of).reduce(pick);
        Some([
            (
                fold(|p| p.0, f64::min)? / 1.1,
                fold(|p| p.1, f64::min)? - pad,
            ),
            (
                fold(|p| p.0, f64::max)? * 1.1,
                fold(|p| p.1, f64::max)? + pad,
            ),
        ])
    };
    let thrifty: Vec<Point> = scene.thrifty().collect();
    for (points, color) in [(thrifty, RECIPE), (vec![scene.reference], REFERENCE)] {
        let Some([from, to]) = around(&points) else {
            continue;
        };
        chart.draw_series([Rectangle::new([from, to], color.mix(0.10).filled())])?;
        chart.draw_series([Rectangle::new([from, to], color.stroke_width(2))])?;
    }
    Ok(())
}

fn front<B: DrawingBackend>(chart: &mut Chart<'_, '_, B>, scene: &Scene) -> Drawn<B> {
    let [low, _] = scene.accuracy;
    let shown = || scene.front.iter().filter(|point| point.1 >= low).copied();
    // A step: up to the next cell, nothing is more accurate for the energy.
    let mut steps: Vec<Point> = Vec::new();
    for point in shown() {
        if let Some(last) = steps.last().copied() {
            steps.push((point.0, last.1));
        }
        steps.push(point);
    }
    chart.draw_series(LineSeries::new(steps, FRONT.stroke_width(2)))?;
    chart.draw_series(shown().map(|point| Circle::new(point, 3, FRONT.filled())))?;
    Ok(())
}

fn marks<B: DrawingBackend>(chart: &mut Chart<'_, '_, B>, scene: &Scene) -> Drawn<B> {
    chart.draw_series(
        scene
            .recipes
            .iter()
            .map(|&point| Circle::new(point, 5, RECIPE.filled())),
    )?;
    if let Some(knee) = scene.knee {
        let mark = Polygon::new(DIAMOND, KNEE.filled());
        chart.draw_series([EmptyElement::at(knee) + mark])?;
    }
    chart.draw_series([TriangleMarker::new(scene.reference, 9, REFERENCE.filled())])?;
    Ok(())
}
