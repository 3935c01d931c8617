package webauthn_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"

	"github.com/secondstep/secondstep/server/servertest"
)

const (
	site     = "http://id.example.test:8080"
	keysPath = servertest.Security + "/security-keys"
	ada      = "ada@example.test"
	ben      = "ben@example.test"
)

var withKeys = servertest.Options{PublicURL: site, SecurityKeys: true}

// Flags of what a device signs.
const (
	present        = 0x01
	verified       = 0x04
	backupEligible = 0x08
	attested       = 0x40
)

// device is a security key with one credential, in a browser at a site. Copies of the struct are copies of the key.
type device struct {
	t      *testing.T
	id     []byte
	key    *ecdsa.PrivateKey
	handle string // of the person, as it was given at the registration
	flags  byte
	count  uint32
	step   uint32 // by which the counter rises; 0 keeps it
	origin string // as the browser has it
	rpID   string
}

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 32)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	return &device{t: t, id: id, key: key, flags: present | verified, step: 1, origin: site, rpID: "id.example.test"}
}

// but is a copy of the key that does something otherwise.
func (d *device) but(change func(d *device)) *device {
	other := *d
	change(&other)
	return &other
}

func b64(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

// asked is what a page gives to the browser.
type asked struct {
	PublicKey struct {
		Challenge        string `json:"challenge"`
		RPID             string `json:"rpId"`
		UserVerification string `json:"userVerification"`
		RP               struct{ ID, Name string }
		User             struct{ ID, Name, DisplayName string }
		Timeout          int
		AllowCredentials []struct{ ID string }
		Exclude          []struct{ ID string } `json:"excludeCredentials"`
		Selection        struct {
			UserVerification string `json:"userVerification"`
		} `json:"authenticatorSelection"`
	} `json:"publicKey"`
}

func optionsOf(t *testing.T, answer *servertest.Answer) *asked {
	t.Helper()
	options := new(asked)
	var whole struct{ Options json.RawMessage }
	if err := json.Unmarshal(answer.Raw, &whole); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(whole.Options, options); err != nil {
		t.Fatalf("%v: %s", err, answer.Raw)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(options.PublicKey.Challenge); err != nil || len(raw) != 32 {
		t.Fatalf("a challenge of %d bytes", len(raw))
	}
	return options
}

func (d *device) clientData(kind, challenge string) []byte {
	text, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": false})
	if err != nil {
		d.t.Fatal(err)
	}
	return text
}

func (d *device) authenticatorData(flags byte) []byte {
	hash := sha256.Sum256([]byte(d.rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), d.count)
}

// create answers navigator.credentials.create.
func (d *device) create(options *asked) map[string]any {
	d.handle = options.PublicKey.User.ID
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.t.Fatal(err)
	}
	data := append(d.authenticatorData(d.flags|attested), make([]byte, 16)...)
	data = binary.BigEndian.AppendUint16(data, uint16(len(d.id)))
	data = append(data, d.id...)
	// The public key in COSE: EC2, ES256, P-256, x, y.
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20)
	data = append(append(append(data, point[1:33]...), 0x22, 0x58, 0x20), point[33:]...)
	object := append([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), byte(len(data)))
	if len(data) > 255 {
		d.t.Fatal("too long")
	}
	object = append(object, data...)
	return map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "authenticatorAttachment": "cross-platform",
		"clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": false}},
		"response": map[string]any{
			"clientDataJSON": b64(d.clientData("webauthn.create", options.PublicKey.Challenge)), "attestationObject": b64(object),
			"authenticatorData": b64(data), "transports": []string{"usb", "nfc"}, "publicKeyAlgorithm": -7,
		},
	}
}

// get answers navigator.credentials.get.
func (d *device) get(options *asked) map[string]any {
	d.count += d.step
	data := d.authenticatorData(d.flags)
	client := d.clientData("webauthn.get", options.PublicKey.Challenge)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(append([]byte{}, data...), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	if err != nil {
		d.t.Fatal(err)
	}
	return map[string]any{
		"id": b64(d.id), "rawId": b64(d.id), "type": "public-key", "clientExtensionResults": map[string]any{},
		"response": map[string]any{
			"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": d.handle,
		},
	}
}

// with is a credential with a member of its response changed.
func with(credential map[string]any, member string, value any) map[string]any {
	changed := maps.Clone(credential)
	response, _ := changed["response"].(map[string]any)
	response = maps.Clone(response)
	response[member] = value
	changed["response"] = response
	return changed
}

type body map[string]any

// began asks for the options of a registration.
func began(t *testing.T, browser *servertest.Client) (id string, options *asked) {
	t.Helper()
	answer := browser.Do("POST", keysPath, nil).Want(http.StatusCreated)
	return answer.Text("id"), optionsOf(t, answer)
}

// add registers the key for whoever is signed in there, with fresh proof.
func add(t *testing.T, browser *servertest.Client, d *device) *servertest.Answer {
	t.Helper()
	id, options := began(t, browser)
	return browser.Do("POST", keysPath+"/"+id, body{"name": " Blue key ", "credential": d.create(options)})
}

// holder is somebody with an app and a security key.
type holder struct {
	*servertest.Enrolled
	*device
	email string
	keyID string
}

func hold(t *testing.T, in *servertest.Installation, email, role string) *holder {
	t.Helper()
	return holding(t, in, email, role, newDevice(t))
}

func holding(t *testing.T, in *servertest.Installation, email, role string, d *device) *holder {
	t.Helper()
	h := &holder{Enrolled: in.Protected(email, role), device: d, email: email}
	browser := in.SignedIn(email, h.Enrolled, servertest.Firefox)
	h.keyID = add(t, browser, h.device).Want(http.StatusCreated).Text("id")
	return h
}

// pending opens a browser that owes its second step.
func pending(in *servertest.Installation, email string) *servertest.Client {
	browser := in.Browser(servertest.Firefox)
	browser.Password(email).Want(http.StatusOK)
	return browser
}

func signInOptions(t *testing.T, browser *servertest.Client) *asked {
	t.Helper()
	return optionsOf(t, browser.Do("POST", "/api/v1/sign-in/webauthn/options", nil).Want(http.StatusOK))
}

func proofOptions(t *testing.T, browser *servertest.Client) *asked {
	t.Helper()
	return optionsOf(t, browser.Do("POST", "/api/v1/session/proof/options", nil).Want(http.StatusOK))
}

func giveIn(browser *servertest.Client, credential map[string]any) *servertest.Answer {
	return browser.Do("POST", "/api/v1/sign-in/webauthn", body{"credential": credential})
}

func prove(browser *servertest.Client, credential map[string]any) *servertest.Answer {
	return browser.Do("POST", "/api/v1/session/proof", body{"password": servertest.Password, "credential": credential})
}

// signIn opens a browser that is signed in with the key.
func (h *holder) signIn(t *testing.T, in *servertest.Installation) *servertest.Client {
	t.Helper()
	browser := pending(in, h.email)
	giveIn(browser, h.get(signInOptions(t, browser))).Want(http.StatusOK)
	return browser
}

// alone fails the test unless the database has exactly so many rows there.
func rows(t *testing.T, in *servertest.Installation, table string, want int) {
	t.Helper()
	if found := in.Column("SELECT COUNT(*) FROM " + table); found[0] != fmt.Sprint(want) {
		t.Errorf("%s rows of %s, want %d", found[0], table, want)
	}
}
