//! Draws figures as SVG plots.

use std::{ops::Range, path::Path};

use anyhow::Context;
use plotters::{
    chart::ChartBuilder,
    coord::{
        combinators::IntoLogRange,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    drawing::IntoDrawingArea,
    element::PathElement,
    prelude::SVGBackend,
    series::LineSeries,
    style::{BLACK, Color, Palette, Palette99, WHITE},
};

const SIZE: (u32, u32) = (800, 450);

/// One figure of several targets. The horizontal axis is logarithmic; the vertical axis begins at 0
/// or is logarithmic.
#[derive(Debug)]
pub(crate) struct Plot<'a> {
    pub(crate) title: &'a str,
    pub(crate) across: &'a str,
    pub(crate) up: &'a str,
    pub(crate) scale: Scale,
    /// The name of each target, and its points.
    pub(crate) lines: Vec<(String, Vec<(f64, f64)>)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Scale {
    FromZero,
    Logarithmic,
}

impl Plot<'_> {
    pub(crate) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let points = || self.lines.iter().flat_map(|(_, points)| points);
        let (left, right) = ends(points().map(|(x, _)| *x)).context("nothing to draw")?;
        let (low, high) = ends(points().map(|(_, y)| *y)).context("nothing to draw")?;
        let across = left..right * 1.05;
        match self.scale {
            Scale::FromZero => self.draw(file, across, 0.0..high * 1.1),
            Scale::Logarithmic => self.draw(file, across, (low * 0.8..high * 1.3).log_scale()),
        }
    }

    fn draw<Y>(&self, file: &Path, across: Range<f64>, up: Y) -> anyhow::Result<()>
    where
        Y: AsRangedCoord<Value = f64>,
        Y::CoordDescType: ValueFormatter<f64>,
    {
        let root = SVGBackend::new(file, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, ("sans-serif", 20))
            .margin(16)
            .margin_right(40)
            .x_label_area_size(45)
            .y_label_area_size(80)
            .build_cartesian_2d(across.log_scale(), up)?;
        chart
            .configure_mesh()
            .x_desc(self.across)
            .y_desc(self.up)
            .x_labels(5)
            .x_label_formatter(&|x| number_text(*x))
            .y_label_formatter(&|y| number_text(*y))
            .light_line_style(WHITE)
            .draw()?;
        for (number, (name, points)) in self.lines.iter().enumerate() {
            let style = Palette99::pick(number).to_rgba().stroke_width(2);
            let line = LineSeries::new(points.iter().copied(), style).point_size(3);
            let key = move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style);
            chart.draw_series(line)?.label(name).legend(key);
        }
        chart.configure_series_labels().background_style(WHITE).border_style(BLACK).draw()?;
        root.present().with_context(|| file.display().to_string())
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |ends, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

fn number_text(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
