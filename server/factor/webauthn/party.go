package webauthn

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/web"
)

// challengeFor is how long a challenge can be answered.
const challengeFor = 5 * time.Minute

// party is who the person signs in to, in the words of WebAuthn the relying party: this site.
type party struct {
	*lib.WebAuthn
	origin string
}

func newParty(site *url.URL) (*party, error) {
	// The library's own clock enforces the time as well; what decides is the server's, in the row of the challenge.
	within := lib.TimeoutConfig{Enforce: true, Timeout: challengeFor, TimeoutUVD: challengeFor}
	made, err := lib.New(&lib.Config{
		RPID: strings.ToLower(site.Hostname()), RPDisplayName: site.Hostname(), RPOrigins: []string{web.Origin(site)},
		AttestationPreference: protocol.PreferNoAttestation,
		Timeouts:              lib.TimeoutsConfig{Login: within, Registration: within},
		// Some browsers answer what nobody asked for. Nothing of it is read.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("security keys need a public URL with a host name such as id.example.org or localhost: %w", err)
	}
	return &party{WebAuthn: made, origin: web.Origin(site)}, nil
}

// signedHere reports whether the browser says that it is at this site, letter for letter: the library forgives case.
func (p *party) signedHere(data protocol.CollectedClientData) bool { return data.Origin == p.origin }

// verification says whether the device must see to it who touches it. Where an administrator's key is a step-up for acts
// on others it must (security.md row 28); a member's may leave it to the password.
func verification(user *account.User) protocol.UserVerificationRequirement {
	if user.Role == account.Administrator {
		return protocol.VerificationRequired
	}
	return protocol.VerificationPreferred
}

// unverified reports whether the device did not see to it, and must have.
func unverified(user *account.User, signed protocol.AuthenticatorFlags) bool {
	return verification(user) == protocol.VerificationRequired && !signed.HasUserVerified()
}

// person is somebody as the library knows people.
type person struct {
	user   *account.User
	handle []byte
	keys   []key
	known  []lib.Credential
}

// newPerson makes one, with all their keys.
func newPerson(user *account.User, handle []byte, keys []key) (*person, error) {
	p := &person{user: user, handle: handle, keys: keys}
	for n := range keys {
		credential, err := keys[n].credential()
		if err != nil {
			return nil, err
		}
		p.known = append(p.known, *credential)
	}
	return p, nil
}

// WebAuthnID is what devices know the person by.
func (p *person) WebAuthnID() []byte { return p.handle }

// WebAuthnName tells the person's accounts apart on the device.
func (p *person) WebAuthnName() string { return p.user.Email }

// WebAuthnDisplayName is how the device greets them.
func (p *person) WebAuthnDisplayName() string { return p.user.Name }

// WebAuthnCredentials are the person's own keys and no others.
func (p *person) WebAuthnCredentials() []lib.Credential { return p.known }

// key is the person's key with this credential id; nil where they have none.
func (p *person) key(credentialID []byte) *key {
	for n := range p.keys {
		if bytes.Equal(p.keys[n].CredentialID, credentialID) {
			return &p.keys[n]
		}
	}
	return nil
}
