package shopify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"github.com/shophand/shophand/sdk"
)

// Verify checks the signature of a webhook: the HMAC-SHA256 of the body, byte for byte, in base64. Any of the
// secrets may have made it, because for up to an hour after a rotation Shopify may still sign with the old one.
// Empty secrets count for nothing, so that a shop without a secret accepts nothing. It takes the same time
// wherever a signature differs.
func (*Connector) Verify(h http.Header, body []byte, secrets []sdk.Secret) error {
	given, err := only(h, headerHMAC)
	if err != nil {
		return err
	}
	tried := 0
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		tried++
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write(body)
		want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
		if hmac.Equal([]byte(want), []byte(given)) {
			return nil
		}
	}
	if tried == 0 {
		return errors.New("no secret is configured to check the signature with")
	}
	return fmt.Errorf("header %s does not match the body; its sender has another secret", headerHMAC)
}
