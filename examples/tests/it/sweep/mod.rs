//! Every remote call of a drill, gone wrong in every way.
//!
//! The failover and the failback of `ecommerce.dr.yaml` run by the real engine and the real drivers, whose calls go in
//! process to the doubles, on virtual time. One undisturbed drill counts the calls; then each call in turn meets each
//! fault, and the drill must come to the same end with the same effects, if need be after somebody asked for another
//! attempt of a step that says why it failed.

mod application;
mod cases;
mod drill;
mod pacer;
mod stage;
