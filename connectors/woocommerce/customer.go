package woocommerce

import (
	"errors"

	"github.com/shophand/shophand/sdk/commerce"
)

func (u *customer) head() head { return head{u.ID, u.DateCreatedGMT, u.DateModifiedGMT} }

// data translates a customer. How many orders there were and what was spent is not told by version 3 of the API;
// whether anything was ever paid is, and stands in the attribute is_paying_customer.
func (u *customer) data() (commerce.Data, error) {
	if u.Email == "" && u.Role == "" && u.Username == "" {
		return commerce.Data{}, errors.New("it has neither e-mail, role nor username, so it is no customer")
	}
	var c amounts
	out := &commerce.Customer{
		Exists: true, ID: u.ID.id(), Email: firstText(u.Email, u.Billing.Email), Phone: firstText(u.Billing.Phone, u.Shipping.Phone),
		FirstName: firstText(u.FirstName, u.Billing.FirstName, u.Shipping.FirstName),
		LastName:  firstText(u.LastName, u.Billing.LastName, u.Shipping.LastName),
		Tags:      []string{}, State: u.Role.text(), OrdersCount: u.OrdersCount.count(), DefaultAddress: u.Billing.translate(),
		Attributes: attributes(u.MetaData), CreatedAt: u.DateCreatedGMT.time(), UpdatedAt: u.DateModifiedGMT.time(),
	}
	if !out.DefaultAddress.Exists {
		out.DefaultAddress = u.Shipping.translate()
	}
	out.Attributes["is_paying_customer"] = "false"
	if u.IsPayingCustomer.yes() {
		out.Attributes["is_paying_customer"] = "true"
	}
	if u.TotalSpent != "" {
		spent := c.read("total_spent", u.TotalSpent)
		out.TotalSpent = &spent
	}
	return commerce.Data{Customer: out}, c.err
}

// noCustomer is the customer of that id of whom nothing else is known, or who is gone.
func noCustomer(id string) *commerce.Customer {
	return &commerce.Customer{ID: id, Tags: []string{}, Attributes: map[string]string{}}
}

// translate translates an address. WooCommerce always sends one, with empty fields where there is none.
func (a *address) translate() commerce.Address {
	out := commerce.Address{
		FirstName: a.FirstName.text(), LastName: a.LastName.text(), Company: a.Company.text(), Line1: a.Address1.text(),
		Line2: a.Address2.text(), City: a.City.text(), Province: a.State.text(), Zip: a.Postcode.text(),
		Country: a.Country.text(), Phone: a.Phone.text(),
	}
	out.Exists = out != commerce.Address{}
	return out
}

// firstText returns the first of the texts that is not empty.
func firstText(of ...loose) string {
	for _, l := range of {
		if l != "" {
			return l.text()
		}
	}
	return ""
}
