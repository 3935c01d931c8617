package totp

import (
	"fmt"
	"io"
)

// SecretBytes is the length of a secret: 160 bits, as RFC 4226 section 4 (R6) recommends.
const SecretBytes = 20

// NewSecret draws a secret from random. It fails only when random does.
func NewSecret(random io.Reader) ([]byte, error) {
	secret := make([]byte, SecretBytes)
	if _, err := io.ReadFull(random, secret); err != nil {
		return nil, fmt.Errorf("random bytes for a secret: %w", err)
	}
	return secret, nil
}

// Typable is a secret as a person types it into an app by hand: base32 (RFC 4648) without padding, 32 characters.
func Typable(secret []byte) string { return base32Plain.EncodeToString(secret) }
