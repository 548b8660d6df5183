mod fixtures;
mod report;
mod rules;
mod scale;
mod unknown;
