package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/shophand/shophand/sdk/commerce"
)

// Identity tells whether two events of a shop are the same one. It follows from what happened and not from
// how we heard of it, so that a repeated delivery, a second subscription, reconciliation and derivation all
// come to the same. The host adds the shop.
type Identity string

// Once is the identity of what happens to a resource at most once: created, paid, cancelled, fulfilled.
func Once(typ, id string) Identity { return Identity(typ + "/" + id) }

// Version is the identity of an update: the resource, the platform's own version of it (updated_at,
// date_modified_gmt) and a hash of the content, because a version may be coarser than the changes.
func Version(typ, id, version string, data commerce.Data) Identity {
	content, err := json.Marshal(data)
	if err != nil { // Data holds nothing that JSON cannot: a bug of ours
		panic("event: data of " + typ + " " + id + " cannot be encoded: " + err.Error())
	}
	sum := sha256.Sum256(content)
	return Identity(typ + "/" + id + "/" + version + "/" + hex.EncodeToString(sum[:8]))
}

// restoresMark ends the identity of a deletion until the host, which has counted the restores of the
// resource, puts their number in its place.
const restoresMark = "/restores"

// Deleted is the identity of a deletion. A resource that was restored can be deleted again, and the message
// looks the same: so the number of restores seen belongs to it, and is added by [Identity.WithRestores].
func Deleted(typ, id string) Identity { return Identity(typ + "/" + id + restoresMark) }

// WithRestores completes the identity of a deletion; any other identity it leaves as it is.
func (i Identity) WithRestores(n string) Identity {
	if s, ok := strings.CutSuffix(string(i), restoresMark); ok {
		return Identity(s + "/" + n)
	}
	return i
}

// Delivered is the identity of an event about no resource: the platform's own id of the event.
func Delivered(typ, platformEventID string) Identity {
	return Identity(typ + "//" + platformEventID)
}
