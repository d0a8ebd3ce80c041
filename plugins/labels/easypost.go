package labels

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/EasyPost/easypost-go/v5"

	"github.com/shophand/shophand/sdk"
	"github.com/shophand/shophand/sdk/wire"
)

// easyPost makes the requests of one attempt, one after the other. All its errors are failures in the sdk's
// sense.
type easyPost struct {
	api *easypost.Client
	key string
}

// easyPost returns the client of one attempt. The library writes its timeout into the http.Client that it is
// given at every request, a race where one is shared: so each attempt has a copy of the struct, over the
// process's one transport and its connections. The transport's wrapper is told in refusal.go.
func (s *service) easyPost(c Config) (*easyPost, error) {
	endpoint, err := c.endpoint()
	if err != nil {
		return nil, err
	}
	own := *s.client
	own.Transport = transport{next: own.Transport}
	return &easyPost{key: c.APIKey.Reveal(), api: &easypost.Client{
		APIKey: c.APIKey.Reveal(), BaseURL: endpoint, Client: &own,
		Timeout:   int(own.Timeout.Milliseconds()), // 0 is the library's 60 s; the attempt's deadline holds besides
		UserAgent: "shophand-labels/" + version,
	}}, nil
}

// create makes a shipment, for which carriers then quote.
func (e *easyPost) create(ctx context.Context, draft *easypost.Shipment) (*easypost.Shipment, error) {
	shipment, err := e.api.CreateShipmentWithContext(ctx, draft)
	return e.checked("creating the shipment", shipment, err)
}

// get returns the shipment of that id.
func (e *easyPost) get(ctx context.Context, id string) (*easypost.Shipment, error) {
	shipment, err := e.api.GetShipmentWithContext(ctx, id)
	return e.checked("reading shipment "+id, shipment, err)
}

// find returns the shipment that carries a reference, nil where there is none.
func (e *easyPost) find(ctx context.Context, reference string) (*easypost.Shipment, error) {
	doing := "looking for the shipment of reference " + reference
	shipment, err := e.api.GetShipmentWithContext(ctx, reference)
	if r := (*refusal)(nil); errors.As(err, &r) && r.status == http.StatusNotFound {
		return nil, nil
	}
	if shipment, err = e.checked(doing, shipment, err); err != nil {
		return nil, err
	}
	if shipment.Reference != reference { // neither ours nor proof that ours does not exist
		return nil, sdk.Fail(wire.Unavailable, fmt.Errorf("%s: EasyPost answered with shipment %s, which is another", doing, shipment.ID))
	}
	return shipment, nil
}

// rerate has carriers quote anew.
func (e *easyPost) rerate(ctx context.Context, id string) ([]*easypost.Rate, error) {
	rates, err := e.api.RerateShipmentWithContext(ctx, id)
	if err != nil {
		return nil, e.failure("asking new rates for shipment "+id, err)
	}
	return rates, nil
}

// buy pays for a rate.
func (e *easyPost) buy(ctx context.Context, id, rate string) (*easypost.Shipment, error) {
	shipment, err := e.api.BuyShipmentWithContext(ctx, id, &easypost.Rate{ID: rate}, "")
	doing := "buying the label of shipment " + id
	if shipment, err = e.checked(doing, shipment, err); err != nil {
		return nil, err
	}
	if shipment.ID != id {
		return nil, sdk.Fail(wire.Unavailable, fmt.Errorf("%s: EasyPost answered with shipment %s", doing, shipment.ID))
	}
	return shipment, nil
}

// checked refuses answers without a shipment: the library decodes null and {} without complaint, and an id goes
// into the path of later requests.
func (e *easyPost) checked(doing string, shipment *easypost.Shipment, err error) (*easypost.Shipment, error) {
	if err != nil {
		return nil, e.failure(doing, err)
	}
	if shipment == nil || !identifier(shipment.ID) {
		return nil, sdk.Fail(wire.Unavailable, fmt.Errorf("%s: EasyPost's answer holds no shipment", doing))
	}
	return shipment, nil
}

// identifier tells whether s is of the form of an id: it can stand in a path as one segment, unescaped.
func identifier(s string) bool {
	if len(s) == 0 || len(s) > 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// webURL tells whether s is a link that a person may be given.
func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 2048 && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}
