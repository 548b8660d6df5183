mod distinctions;
mod fixtures;
mod graph;
mod report;
mod rules;
mod scale;
mod sensitivity;
mod unknown;
