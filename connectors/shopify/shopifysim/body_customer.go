package shopifysim

import (
	"maps"
	"slices"
)

// CustomerBody returns the body of a webhook of the topics customers/create and customers/update.
func (s *Sim) CustomerBody(c Customer) ([]byte, error) {
	body := c.inOrder(s.config.Currency)
	body["addresses"] = []object{}
	return encode(body)
}

// inOrder is a customer as an order holds it.
func (c *Customer) inOrder(currency string) object {
	return object{
		"id": c.ID, "created_at": timeOrNull(c.CreatedAt), "updated_at": timeOrNull(c.UpdatedAt), "first_name": orNull(c.FirstName),
		"last_name": orNull(c.LastName), "state": "disabled", "note": orNull(c.Note), "verified_email": true,
		"multipass_identifier": nil, "tax_exempt": false, "email": orNull(c.Email), "phone": orNull(c.Phone), "currency": currency,
		"tax_exemptions": []string{}, "admin_graphql_api_id": gid("Customer", c.ID), "default_address": c.defaultAddress(),
	}
}

func (c *Customer) defaultAddress() any {
	if c.Address == nil {
		return nil
	}
	a := c.Address
	return object{
		"id": c.ID + 1, "customer_id": c.ID, "first_name": orNull(a.FirstName), "last_name": orNull(a.LastName),
		"company": orNull(a.Company), "address1": orNull(a.Line1), "address2": orNull(a.Line2), "city": orNull(a.City),
		"province": orNull(a.Province), "country": orNull(a.Country), "zip": orNull(a.Zip), "phone": orNull(a.Phone),
		"name": a.name(), "province_code": orNull(a.ProvinceCode), "country_code": orNull(a.CountryCode),
		"country_name": orNull(a.Country), "default": true,
	}
}

func (a *Address) name() string {
	if a.FirstName == "" || a.LastName == "" {
		return a.FirstName + a.LastName
	}
	return a.FirstName + " " + a.LastName
}

// body is an address of an order, null where there is none.
func (a *Address) body() any {
	if a == nil {
		return nil
	}
	return object{
		"first_name": orNull(a.FirstName), "address1": orNull(a.Line1), "phone": orNull(a.Phone), "city": orNull(a.City),
		"zip": orNull(a.Zip), "province": orNull(a.Province), "country": orNull(a.Country), "last_name": orNull(a.LastName),
		"address2": orNull(a.Line2), "company": orNull(a.Company), "latitude": nil, "longitude": nil, "name": a.name(),
		"country_code": orNull(a.CountryCode), "province_code": orNull(a.ProvinceCode),
	}
}

// properties are named values in Shopify's form, by name.
func properties(all map[string]string) []object {
	out := make([]object, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, object{"name": name, "value": all[name]})
	}
	return out
}
