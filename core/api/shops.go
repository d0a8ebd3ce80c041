package api

import (
	"net/http"
	"net/url"
	"regexp"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/shophand/shophand/core/store"
	"github.com/shophand/shophand/sdk"
)

// shopAnswer is a shop as it is shown: without its secrets.
type shopAnswer struct {
	Name       string    `json:"name"`
	Platform   string    `json:"platform"`
	URL        string    `json:"url"`
	APIURL     string    `json:"api_url"`
	Currency   string    `json:"currency"`
	Timezone   string    `json:"timezone"`
	WebhookURL string    `json:"webhook_url"`
	AddedAt    time.Time `json:"added_at"`
}

func (a *API) shopAnswer(s store.Shop) shopAnswer {
	return shopAnswer{Name: s.Name, Platform: s.Platform, URL: s.URL, APIURL: s.APIURL, Currency: s.Currency,
		Timezone: s.Timezone, WebhookURL: a.WebhookURL(s), AddedAt: s.AddedAt}
}

func (a *API) listShops(c *gin.Context) {
	list, err := a.Store.Shops(c.Request.Context())
	if err != nil {
		a.failWith(c, err)
		return
	}
	out := []shopAnswer{}
	for _, s := range list {
		out = append(out, a.shopAnswer(s))
	}
	c.PureJSON(http.StatusOK, out)
}

func (a *API) showShop(c *gin.Context) {
	s, err := a.Store.Shop(c.Request.Context(), c.Param("name"))
	if err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusOK, a.shopAnswer(s))
}

// addShopRequest is what `shop add` gives.
type addShopRequest struct {
	Platform      string `json:"platform"`
	Name          string `json:"name"`
	URL           string `json:"url"`
	APIURL        string `json:"api_url"`
	Token         string `json:"token"`
	Key           string `json:"key"`
	Secret        string `json:"secret"`
	WebhookSecret string `json:"webhook_secret"`
	Currency      string `json:"currency"`
	Timezone      string `json:"timezone"`
}

func (in addShopRequest) credentials() map[string]sdk.Secret {
	out := map[string]sdk.Secret{}
	for name, value := range map[string]string{"token": in.Token, "key": in.Key, "secret": in.Secret} {
		if value != "" {
			out[name] = sdk.Secret(value)
		}
	}
	return out
}

// check tells what is wrong with what the platform's connector does not look at.
func (in addShopRequest) check() error {
	if _, err := time.LoadLocation(in.Timezone); err != nil || in.Timezone == "Local" {
		return refused("%q is no time zone; write it like Europe/Berlin", in.Timezone)
	}
	if in.Currency != "" && !regexp.MustCompile(`^[A-Z]{3}$`).MatchString(in.Currency) {
		return refused("%q is no currency; write its three letters, like EUR", in.Currency)
	}
	if u, err := url.Parse(in.APIURL); in.APIURL != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return refused("%q is no address of an API; write it like https://stand-in.example.com", in.APIURL)
	}
	if in.Platform == "woocommerce" && in.WebhookSecret == "" {
		return refused("a WooCommerce shop needs the secret that its webhooks are signed with: give --webhook-secret")
	}
	return nil
}

func (a *API) addShop(c *gin.Context) {
	in, err := read[addShopRequest](c)
	if err != nil {
		a.failWith(c, err)
		return
	}
	platform, ok := a.Platforms[in.Platform]
	if !ok {
		a.failWith(c, refused("there is no platform %q; shopify and woocommerce are known", in.Platform))
		return
	}
	if err := platform.CheckShop(in.Name, in.URL, in.credentials()); err != nil {
		a.failWith(c, refused("%w", err))
		return
	}
	if err := in.check(); err != nil {
		a.failWith(c, err)
		return
	}
	s := store.Shop{
		Name: in.Name, Platform: in.Platform, URL: in.URL, APIURL: in.APIURL, Currency: in.Currency, Timezone: in.Timezone,
		AddedAt: a.Now().UTC(), Credentials: in.credentials(),
	}
	if in.WebhookSecret != "" {
		s.WebhookSecrets = []sdk.Secret{sdk.Secret(in.WebhookSecret)}
	}
	if err := a.Store.AddShop(c.Request.Context(), s); err != nil {
		a.failWith(c, err)
		return
	}
	c.PureJSON(http.StatusCreated, a.shopAnswer(s))
}

func (a *API) removeShop(c *gin.Context) {
	if err := a.Store.RemoveShop(c.Request.Context(), c.Param("name")); err != nil {
		a.failWith(c, err)
		return
	}
	c.Status(http.StatusNoContent)
}
