//! Draws a scene.

use plotters::coord::Shift;
use plotters::coord::combinators::LogCoord;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::scene::{BINS, Point, Scene};

const INK: RGBColor = RGBColor(40, 44, 52);
const FRONT: RGBColor = RGBColor(214, 96, 20);
const RECIPE: RGBColor = RGBColor(22, 130, 70);
const REFERENCE: RGBColor = RGBColor(180, 30, 45);
const KNEE: RGBColor = RGBColor(106, 61, 154);

type Chart<'a, 'c, B> = ChartContext<'a, B, Cartesian2d<LogCoord<f64>, RangedCoordf64>>;

pub(super) fn paint<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    scene: &Scene,
) -> Result<(), String> {
    picture(area, scene).map_err(|error| error.to_string())
}

type Drawn<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

fn picture<B: DrawingBackend>(area: &DrawingArea<B, Shift>, scene: &Scene) -> Drawn<B> {
    area.fill(&WHITE)?;
    area.draw(&Text::new(
        scene.title.clone(),
        (84, 18),
        font(24).style(FontStyle::Bold).color(&INK),
    ))?;
    let (first, more) = scene.notes.split_at(scene.notes.len().min(1));
    for (line, y) in [(first, 49), (more, 69)] {
        let style = font(15).color(&INK.mix(0.75));
        area.draw(&Text::new(line.join("; "), (84, y), style))?;
    }
    let [[least, most], [low, high]] = [scene.energy, scene.accuracy];
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .margin_top(94)
        .margin_right(28)
        .x_label_area_size(56)
        .y_label_area_size(68)
        .build_cartesian_2d((least..most).log_scale(), low..high)?;
    chart
        .configure_mesh()
        .x_desc("training energy, kWh (logarithmic)")
        .y_desc(format!("{}, %", scene.accuracy_name))
        .label_style(font(15).color(&INK))
        .axis_desc_style(font(17).color(&INK))
        .axis_style(INK.mix(0.6))
        .bold_line_style(INK.mix(0.12))
        .light_line_style(TRANSPARENT)
        .x_label_formatter(&|kwh| usual(*kwh))
        .y_label_formatter(&|percent| format!("{percent:.1}"))
        .draw()?;
    density(&mut chart, scene)?;
    regions(&mut chart, scene)?;
    front(&mut chart, scene)?;
    marks(&mut chart, scene)?;
    area.present()
}

/// A number of the logarithmic axis if it begins with 1, 2 or 5; others would stand too close.
fn usual(number: f64) -> String {
    let power = 10_f64.powf(number.log10().floor());
    let first = (number / power).round();
    let is_usual = [1.0, 2.0, 5.0, 10.0].contains(&first) && (number / power - first).abs() < 0.01;
    if is_usual {
        format!("{}", (number * 1e6).round() / 1e6)
    } else {
        String::new()
    }
}

fn font(size: u32) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, f64::from(size), FontStyle::Normal)
}

/// All cells: the darker, the more.
fn density<B: DrawingBackend>(chart: &mut Chart<'_, '_, B>, scene: &Scene) -> Drawn<B> {
    let most = scene.bins.iter().map(|bin| bin.2).max().unwrap_or(1);
    let [[least, greatest], [low, high]] = [scene.energy, scene.accuracy];
    let [columns, rows] = BINS.map(|bins| bins as f64);
    let x = |column: usize| least * (greatest / least).powf(column as f64 / columns);
    let y = |row: usize| low + (high - low) * row as f64 / rows;
    let bins = scene.bins.iter().map(|&(column, row, count)| {
        let share = f64::from(count).ln_1p() / f64::from(most).ln_1p();
        let shade = |light: f64, dark: f64| (light + (dark - light) * share) as u8;
        let color = RGBColor(shade(226.0, 48.0), shade(234.0, 84.0), shade(243.0, 130.0));
        Rectangle::new(
            [(x(column), y(row)), (x(column + 1), y(row + 1))],
            color.filled(),
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
    let thrifty: Vec<Point> = scene
        .recipes
        .iter()
        .filter(|point| point.0 <= scene.reference.0 / 2.0)
        .copied()
        .collect();
    for (points, color, label) in [
        (
            thrifty,
            RECIPE,
            "good trade-off: recipes that save half and more",
        ),
        (
            vec![scene.reference],
            REFERENCE,
            "usual choice: the reference",
        ),
    ] {
        let Some([from, to]) = around(&points) else {
            continue;
        };
        chart.draw_series([Rectangle::new([from, to], color.mix(0.10).filled())])?;
        chart.draw_series([Rectangle::new([from, to], color.stroke_width(2))])?;
        let style = font(17)
            .color(&color)
            .pos(Pos::new(HPos::Right, VPos::Bottom));
        chart.draw_series([EmptyElement::at(to) + Text::new(label, (0, -4), style)])?;
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
    if let Some(first) = shown().next() {
        let style = font(16).color(&FRONT);
        let text = Text::new("front: no cell is better in both", (0, 8), style);
        chart.draw_series([EmptyElement::at(first) + text])?;
    }
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
        let style = font(16)
            .color(&KNEE)
            .pos(Pos::new(HPos::Right, VPos::Bottom));
        chart.draw_series([EmptyElement::at(knee)
            + Polygon::new([(0, -8), (8, 0), (0, 8), (-8, 0)], KNEE.filled())
            + Text::new("knee", (-10, -6), style)])?;
    }
    chart.draw_series([TriangleMarker::new(scene.reference, 9, REFERENCE.filled())])?;
    if let (Some(&best), Some(saving)) = (scene.recipes.first(), &scene.saving) {
        // To the left of the front there are no cells.
        let style = font(17)
            .color(&RECIPE)
            .pos(Pos::new(HPos::Right, VPos::Center));
        let label = Text::new(format!("best recipe: {saving}"), (-28, 0), style);
        let line = PathElement::new([(-24, 0), (-6, 0)], RECIPE.stroke_width(2));
        chart.draw_series([EmptyElement::at(best) + line + label])?;
    }
    Ok(())
}
