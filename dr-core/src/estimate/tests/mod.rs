mod agreement;
mod model;
mod statistics;
