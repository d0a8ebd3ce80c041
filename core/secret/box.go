// Package secret encrypts what is secret while it lies on disk, and keeps the key for that.
package secret

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// KeySize is the length of a key in bytes.
const KeySize = 32

const (
	version = 1 // the first byte of what Seal returns
	idSize  = 8
)

// The errors that Open wraps.
var (
	// ErrWrongKey means that a value was sealed under another key.
	ErrWrongKey = errors.New("it was encrypted under another key: set SHOPHAND_KEY to that key, or put its key file back")
	// ErrDamaged means that a value was changed, or was moved from where it belongs.
	ErrDamaged = errors.New("it is damaged or was moved here from elsewhere")
)

// Box seals and opens values under one key, by AES-256-GCM. It is safe for concurrent use.
type Box struct {
	aead   cipher.AEAD
	id     []byte // tells keys apart without giving anything of them away
	random io.Reader
}

// New returns a box for a key of KeySize bytes.
func New(key []byte) (*Box, error) { return NewWithRandom(key, rand.Reader) }

// NewWithRandom returns a box that takes its nonces from random, which must be safe for concurrent use and
// must never repeat itself under one key.
func NewWithRandom(key []byte, random io.Reader) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("the key for secrets has %d bytes, it must have %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("shophand: the name of this key"))
	return &Box{aead: aead, id: mac.Sum(nil)[:idSize], random: random}, nil
}

// Seal encrypts a value. The context says where it belongs ("shop/tea/credentials"): only with the same one
// can it be opened, so that nobody who can write the file can put one secret in another's place.
//
// The result is a version byte, 8 bytes that name the key, the nonce, and the ciphertext with its tag.
func (b *Box) Seal(plaintext, context []byte) ([]byte, error) {
	head := 1 + idSize + b.aead.NonceSize()
	out := make([]byte, 0, head+len(plaintext)+b.aead.Overhead())
	out = append(out, version)
	out = append(out, b.id...)
	out = out[:head]
	if _, err := io.ReadFull(b.random, out[1+idSize:]); err != nil {
		return nil, fmt.Errorf("encrypting a secret: no randomness: %w", err)
	}
	return b.aead.Seal(out, out[1+idSize:], plaintext, context), nil
}

// Open decrypts what Seal returned for the same context.
func (b *Box) Open(sealed, context []byte) ([]byte, error) {
	head := 1 + idSize + b.aead.NonceSize()
	switch {
	case len(sealed) > 0 && sealed[0] != version:
		return nil, fmt.Errorf("decrypting a secret: its format is %d, this version of Shophand knows %d", sealed[0], version)
	case len(sealed) < head+b.aead.Overhead():
		return nil, fmt.Errorf("decrypting a secret: %w: it is too short", ErrDamaged)
	case !bytes.Equal(sealed[1:1+idSize], b.id):
		return nil, fmt.Errorf("decrypting a secret: %w", ErrWrongKey)
	}
	plaintext, err := b.aead.Open(nil, sealed[1+idSize:head], sealed[head:], context)
	if err != nil {
		return nil, fmt.Errorf("decrypting a secret: %w", ErrDamaged)
	}
	return plaintext, nil
}
