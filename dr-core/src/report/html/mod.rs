//! The report as one HTML file: inline SVG, a little CSS, no script, nothing from outside, light and dark.

mod chart;
mod clients;
mod escape;
mod flags;
mod lanes;
mod packing;
mod page;
mod scale;

pub(crate) use escape::Text;
pub(super) use page::Page;
