mod fixture;
mod report;
mod rules;
mod scale;
