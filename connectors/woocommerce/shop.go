package woocommerce

import (
	"errors"

	"github.com/shophand/shophand/sdk"
)

// CheckShop tells whether a shop can be added: its name, and the address and credentials that its actions need.
func (c *Connector) CheckShop(name, url string, credentials map[string]sdk.Secret) error {
	if err := ValidShopName(name); err != nil {
		return err
	}
	if credentials["key"] == "" || credentials["secret"] == "" || url == "" {
		return errors.New("a WooCommerce shop needs its address and a REST API key: give --url, --key and --secret")
	}
	_, err := Access{URL: url, Key: credentials["key"], Secret: credentials["secret"]}.base()
	return err
}
