package labels

import (
	"fmt"
	"strings"

	"github.com/EasyPost/easypost-go/v5"
)

// Address is where a parcel goes or comes from. Its fields are those of commerce.Address, so that a flow may
// write `to: ${order.shipping_address}`, and the e-mail that carriers send notices to.
type Address struct {
	// Exists is part of an order's address; what counts here are the other fields.
	Exists    bool   `json:"exists,omitempty" jsonschema:"as an order's address has it; not used"`
	FirstName string `json:"first_name,omitempty"`
	LastName  string `json:"last_name,omitempty"`
	Company   string `json:"company,omitempty"`
	Line1     string `json:"line1,omitempty" jsonschema:"street and number; required"`
	Line2     string `json:"line2,omitempty"`
	City      string `json:"city,omitempty"`
	Province  string `json:"province,omitempty" jsonschema:"state or province, as a code"`
	Zip       string `json:"zip,omitempty"`
	Country   string `json:"country,omitempty" jsonschema:"two-letter country code; required"`
	Phone     string `json:"phone,omitempty"`
	Email     string `json:"email,omitempty"`
}

// empty tells whether there is no address at all: an order of goods that are not shipped has such a one.
func (a Address) empty() bool {
	a.Exists = false
	return a == Address{}
}

// check tells what an address lacks that no label can do without. The rest (zip, province, phone) differs from
// carrier to carrier and country to country, and is EasyPost's to judge.
func (a Address) check(name string) error {
	var missing []string
	if strings.TrimSpace(a.Line1) == "" {
		missing = append(missing, "line1 (street)")
	}
	country := strings.TrimSpace(a.Country)
	if country == "" {
		missing = append(missing, "country")
	}
	switch {
	case a.empty():
		return invalid(fmt.Errorf("%s: there is no address; give one with line1 and country, or skip orders that need no shipping", name))
	case len(missing) > 0:
		return invalid(fmt.Errorf("%s: the address has no %s", name, strings.Join(missing, " and no ")))
	case len(country) != 2 || strings.ContainsFunc(country, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' }):
		return invalid(fmt.Errorf("%s: country %.20q is not a two-letter code such as US", name, a.Country))
	}
	return nil
}

// vendor returns the address in EasyPost's form.
func (a Address) vendor() *easypost.Address {
	return &easypost.Address{
		Name:    strings.TrimSpace(strings.TrimSpace(a.FirstName) + " " + strings.TrimSpace(a.LastName)),
		Company: strings.TrimSpace(a.Company),
		Street1: strings.TrimSpace(a.Line1),
		Street2: strings.TrimSpace(a.Line2),
		City:    strings.TrimSpace(a.City),
		State:   strings.TrimSpace(a.Province),
		Zip:     strings.TrimSpace(a.Zip),
		Country: strings.ToUpper(strings.TrimSpace(a.Country)),
		Phone:   strings.TrimSpace(a.Phone),
		Email:   strings.TrimSpace(a.Email),
	}
}
