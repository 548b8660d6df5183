mod acting;
mod deciding;
mod fixture;
mod living;
mod random;
