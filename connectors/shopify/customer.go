package shopify

import (
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
	"github.com/shophand/shophand/sdk/event"
)

// customerJSON is what is read of a customer. Since 2025 webhooks leave out what changes without the customer
// changing (orders_count, total_spent, tags, consent); where it is there, it is read.
type customerJSON struct {
	ID               id           `json:"id"`
	GID              id           `json:"admin_graphql_api_id"`
	Email            string       `json:"email"`
	Phone            string       `json:"phone"`
	FirstName        string       `json:"first_name"`
	LastName         string       `json:"last_name"`
	Note             string       `json:"note"`
	Tags             list         `json:"tags"`
	State            string       `json:"state"`
	Locale           string       `json:"locale"`
	AcceptsMarketing *bool        `json:"accepts_marketing"`
	EmailConsent     *consentJSON `json:"email_marketing_consent"`
	SMSConsent       *consentJSON `json:"sms_marketing_consent"`
	OrdersCount      *int64       `json:"orders_count"`
	TotalSpent       amount       `json:"total_spent"`
	Currency         string       `json:"currency"`
	DefaultAddress   addressJSON  `json:"default_address"`
	CreatedAt        moment       `json:"created_at"`
	UpdatedAt        moment       `json:"updated_at"`
}

type consentJSON struct {
	State string `json:"state"`
}

// given tells whether consent was given; nil where the message does not say.
func (w *consentJSON) given() *bool {
	if w == nil || w.State == "" {
		return nil
	}
	yes := strings.EqualFold(w.State, "subscribed")
	return &yes
}

type addressJSON struct {
	FirstName    string `json:"first_name"`
	LastName     string `json:"last_name"`
	Name         string `json:"name"`
	Company      string `json:"company"`
	Address1     string `json:"address1"`
	Address2     string `json:"address2"`
	City         string `json:"city"`
	Province     string `json:"province"`
	ProvinceCode string `json:"province_code"`
	Zip          string `json:"zip"`
	Country      string `json:"country"`
	CountryCode  string `json:"country_code"`
	Phone        string `json:"phone"`
}

// address translates an address. One that is absent, or has nothing in it as where Shopify withholds personal
// data, does not exist.
func (w addressJSON) address() commerce.Address {
	if w == (addressJSON{}) {
		return commerce.Address{}
	}
	a := commerce.Address{
		Exists: true, FirstName: w.FirstName, LastName: w.LastName, Company: w.Company, Line1: w.Address1, Line2: w.Address2,
		City: w.City, Province: first(w.ProvinceCode, w.Province), Zip: w.Zip, Country: w.CountryCode, Phone: w.Phone,
	}
	if a.FirstName == "" && a.LastName == "" {
		a.FirstName, a.LastName, _ = strings.Cut(w.Name, " ")
	}
	if a.Country == "" && len(w.Country) == 2 {
		a.Country = w.Country
	}
	return a
}

// noCustomer is a customer who does not exist.
func noCustomer() commerce.Customer {
	return commerce.Customer{Tags: []string{}, Attributes: map[string]string{}}
}

func (w *customerJSON) customer() commerce.Customer {
	c := commerce.Customer{
		Exists: true, ID: string(w.ID), Email: w.Email, Phone: w.Phone, FirstName: w.FirstName, LastName: w.LastName,
		Note: w.Note, Tags: w.Tags.strings(), State: w.State, Locale: w.Locale,
		AcceptsEmailMarketing: w.EmailConsent.given(), AcceptsSMSMarketing: w.SMSConsent.given(),
		OrdersCount: w.OrdersCount, TotalSpent: w.TotalSpent.pointer(), Currency: w.Currency,
		DefaultAddress: w.DefaultAddress.address(), Attributes: map[string]string{},
		CreatedAt: w.CreatedAt.pointer(), UpdatedAt: w.UpdatedAt.pointer(),
	}
	if c.AcceptsEmailMarketing == nil {
		c.AcceptsEmailMarketing = w.AcceptsMarketing
	}
	return c
}

// buyer is what an order or a checkout itself says of who buys.
type buyer struct {
	email, phone, locale string
	acceptsMarketing     *bool
	addresses            []commerce.Address
}

// buyer translates the customer of an order or a checkout: a guest where there is none, with what b says.
func (w *customerJSON) buyer(b buyer) commerce.Customer {
	if w != nil && first(w.ID, w.GID) != "" {
		w.ID = first(w.ID, w.GID)
		c := w.customer()
		c.Locale = first(c.Locale, b.locale)
		return c
	}
	c := noCustomer()
	c.Email, c.Phone, c.Locale, c.AcceptsEmailMarketing = b.email, b.phone, b.locale, b.acceptsMarketing
	for _, a := range b.addresses {
		if a.FirstName != "" || a.LastName != "" {
			c.FirstName, c.LastName = a.FirstName, a.LastName
			break
		}
	}
	return c
}

// customer translates a webhook that carries a customer.
func (m message) customer(typ string) (event.Event, error) {
	var w customerJSON
	if err := m.decode(&w); err != nil {
		return event.Event{}, err
	}
	if w.ID = first(w.ID, w.GID); w.ID == "" {
		return event.Event{}, m.missing("id")
	}
	c := w.customer()
	data := commerce.Data{Customer: &c}
	if typ == "customer.created" {
		return m.event(typ, c.ID, event.Once(typ, c.ID), data, w.CreatedAt), nil
	}
	return m.event(typ, c.ID, event.Version(typ, c.ID, w.UpdatedAt.version(), data), data, w.UpdatedAt), nil
}
