package shopify

import (
	"errors"

	"github.com/shophand/shophand/sdk"
)

// CheckShop tells whether a shop can be added: its name, and the credentials that its actions need.
func (c *Connector) CheckShop(name, _ string, credentials map[string]sdk.Secret) error {
	if err := ValidShopName(name); err != nil {
		return err
	}
	if credentials["token"] == "" {
		return errors.New("a Shopify shop needs the access token of its Admin API: give --token")
	}
	return nil
}
