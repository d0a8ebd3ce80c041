package woocommerce

import (
	"errors"

	"github.com/shophand/shophand/sdk/commerce"
)

func (p *coupon) head() head { return head{p.ID, p.DateCreatedGMT, p.DateModifiedGMT} }

// data translates a coupon. A minimum of 0.00 is none. A coupon's code may be empty until it is published.
func (p *coupon) data() (commerce.Data, error) {
	if p.Code == "" && p.DiscountType == "" {
		return commerce.Data{}, errors.New("it has neither code nor discount_type, so it is no coupon")
	}
	var c amounts
	out := &commerce.Coupon{
		Exists: true, ID: p.ID.id(), Code: p.Code.title(), Title: p.Description.title(), Kind: p.DiscountType.text(),
		Status: p.Status.text(), Amount: c.read("amount", p.Amount), FreeShipping: p.FreeShipping.yes(),
		UsageCount: p.UsageCount.count(), UsageLimit: p.UsageLimit.count(),
		EmailRestriction: []string{}, ProductIDs: []string{}, Attributes: attributes(p.MetaData),
		ExpiresAt: p.DateExpiresGMT.time(), CreatedAt: p.DateCreatedGMT.time(), UpdatedAt: p.DateModifiedGMT.time(),
	}
	if minimum := c.read("minimum_amount", p.MinimumAmount); minimum.Sign() > 0 {
		out.MinimumAmount = &minimum
	}
	for _, e := range p.EmailRestrictions {
		if e != "" {
			out.EmailRestriction = append(out.EmailRestriction, e.text())
		}
	}
	for _, id := range p.ProductIDs {
		if id.id() != "" {
			out.ProductIDs = append(out.ProductIDs, id.id())
		}
	}
	return commerce.Data{Coupon: out}, c.err
}

// noCoupon is the coupon of that id of which nothing else is known, or which is gone.
func noCoupon(id string) *commerce.Coupon {
	return &commerce.Coupon{ID: id, EmailRestriction: []string{}, ProductIDs: []string{}, Attributes: map[string]string{}}
}
