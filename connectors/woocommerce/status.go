package woocommerce

import "github.com/shophand/shophand/sdk/commerce"

// setStatus tells from WooCommerce's status, the dates and the refunds what an order's statuses are:
//
//	status                    paid                               sent
//	pending, failed           no: payment is awaited, or again   no
//	on-hold                   if it has a date of payment        no
//	processing                yes; cash on delivery: by the date no
//	completed                 yes                                yes
//	cancelled, checkout-draft if it has a date of payment        if it has a date of completion
//	any other                 if it has a date of payment        if it has a date of completion
//
// WooCommerce dates the payment of all that is paid, except of an order on cash on delivery before it is
// completed, and of one that costs nothing. Plugins add statuses of their own, of which only the dates tell.
// Refunds then make the order refunded, or partially. The time of cancelling is not told: it is taken to be the
// last change.
func setStatus(o *commerce.Order) {
	paid, sent := o.PaidAt != nil, o.FulfilledAt != nil
	switch o.PlatformStatus {
	case "pending", "failed", "auto-draft":
		paid, sent = false, false
	case "on-hold":
		sent = false
	case "processing":
		paid, sent = paid || o.PaymentMethod != "cod", false
	case "completed":
		paid, sent = true, true
	case "cancelled":
		o.Cancelled = true
		if !o.UpdatedAt.IsZero() {
			at := o.UpdatedAt
			o.CancelledAt = &at
		}
	}
	o.FinancialStatus = financialStatus(o, paid)
	o.FulfillmentStatus = commerce.FulfillmentUnfulfilled
	if sent {
		o.FulfillmentStatus = commerce.FulfillmentFulfilled
	}
}

func financialStatus(o *commerce.Order, paid bool) string {
	switch {
	case o.PlatformStatus == "refunded", o.TotalRefunded.Sign() > 0 && o.TotalRefunded.Cmp(o.Total) >= 0:
		return commerce.FinancialRefunded
	case o.TotalRefunded.Sign() > 0:
		return commerce.FinancialPartiallyRefunded
	case paid:
		return commerce.FinancialPaid
	case o.Cancelled:
		return commerce.FinancialVoided
	}
	return commerce.FinancialPending
}
