//! What the platform's users came for: orders, in one volume per region, shipped from the writer's to the standby's.
//!
//! The volumes are what Aurora's storage is to the real platform. Which region may write, and when that
//! changes, is the database double's business ([`Database`]); the volumes follow it, and keep what a
//! failover leaves behind so that the audit can name every lost write.

mod database;
mod order;
mod stores;
mod volume;

pub use database::{Database, Promotion, PromotionKind};
pub use order::{NewOrder, Order, OrderId};
pub use stores::{Discarded, Placed, ReadOnly, Stores, Surviving};
