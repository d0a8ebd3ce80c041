// Package commerce is the common model of a shop: orders, customers, products and what happens to them, the
// same for every platform.
//
// A connector translates what its platform sends into these types, flows read them in expressions, and
// plugins receive them. Four rules hold throughout:
//
//   - Amounts are [Decimal], never floating point. An amount is in the currency of the object that holds it,
//     which is the shop's own currency; what the buyer saw, if it differs, stands in the Presentment fields.
//   - Ids are strings, as the platform gives them, without prefix.
//   - Times are UTC. A time that may not have come yet is a pointer, and so is a number that a platform may
//     not tell. Text that is missing is "".
//   - Objects inside objects are never missing. Where there is none, its Exists is false and the rest is
//     empty; a mere reference to one has its ID and Exists false.
package commerce
