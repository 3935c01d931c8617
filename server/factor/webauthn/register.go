package webauthn

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// maxKeys is how many security keys a person can have.
const maxKeys = 10

// place is what a registration of the caller's is bound to.
func place(caller web.Caller) factor.Attempt {
	return factor.Attempt{UserID: caller.Session.UserID, Ceremony: register, Holder: caller.Session.ID, Client: caller.Client}
}

// begin starts the adding of a security key and answers what navigator.credentials.create wants.
func (f *Factor) begin(ctx context.Context, caller web.Caller) (*Registration, error) {
	if f.party == nil {
		return nil, errOff
	}
	drawn, err := f.random()
	if err != nil {
		return nil, err
	}
	handle, err := f.random()
	if err != nil {
		return nil, err
	}
	var options *protocol.CredentialCreation
	var begins challenge
	brand := f.Brand(ctx)
	err = f.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		if refusal := mayAdd(user); refusal != nil {
			return refusal
		}
		if err := giveHandle(ctx, tx, user.ID, handle); err != nil {
			return err
		}
		who, err := personOf(ctx, tx, user)
		if err != nil {
			return err
		}
		if len(who.keys) >= maxKeys {
			return errTooManyKeys
		}
		var data *lib.SessionData
		options, data, err = f.party.BeginRegistration(who, lib.WithExclusions(lib.Credentials(who.known).CredentialDescriptors()),
			lib.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
				ResidentKey: protocol.ResidentKeyRequirementDiscouraged, UserVerification: verification(user),
			}),
			func(options *protocol.PublicKeyCredentialCreationOptions) error {
				options.Challenge, options.RelyingParty.Name = drawn, brand
				return nil
			})
		if err != nil {
			return fmt.Errorf("begin to add a security key: %w", err)
		}
		at := place(caller)
		begins = challenge{UserID: user.ID, Ceremony: at.Ceremony, Holder: at.Holder, Challenge: drawn, Network: caller.Network}
		return begins.keep(ctx, tx, data)
	})
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("write the options of a security key: %w", err)
	}
	return &Registration{ID: begins.ID, Options: text, ExpiresAt: begins.ExpiresAt.Time()}, nil
}

// mayAdd says why the person may have no security key: it stands beside an app and codes, never alone.
func mayAdd(user *account.User) *problem.Problem {
	switch {
	case !user.MFA():
		return errMFAOff
	case user.Requirement == account.RequirementOff:
		return errNotAllowed
	}
	return nil
}

// finish adds the key, where it was begun in this session. Right or wrong, the challenge is over; a refusal commits that.
func (f *Factor) finish(ctx context.Context, caller web.Caller, id, name string, sent []byte, changed factor.Changed) (*key, session.Token, error) {
	if f.party == nil {
		return nil, nil, errOff
	}
	started, err := begunByID(ctx, f.Database.Read(), f.Now(), place(caller), id)
	if err != nil {
		return nil, nil, err
	}
	if started == nil {
		return nil, nil, errExpired
	}
	credential, refused, err := f.examineNew(ctx, caller, started, sent)
	if err != nil {
		return nil, nil, err
	}
	var added *key
	var token session.Token
	var refusal *problem.Problem
	err = f.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		refusal = refused
		user, err := account.Hold(ctx, tx, caller.Session.UserID)
		if err != nil {
			return err
		}
		first, err := started.spend(ctx, tx)
		if err != nil {
			return err
		}
		if !first {
			return errExpired
		}
		if refusal == nil {
			added, refusal, err = f.put(ctx, tx, user, name, credential)
		}
		if err != nil {
			return err
		}
		event := audit.By(caller).Is(audit.FactorAdded, audit.OK)
		event.Method = string(Kind)
		if refusal != nil {
			event.Result, event.Reason = audit.Refused, refusal.Code
			return audit.Record(ctx, tx, event)
		}
		if err := audit.Record(ctx, tx, event); err != nil {
			return err
		}
		token, err = changed(ctx, tx, caller, "factor_added")
		return err
	})
	switch {
	case err != nil:
		return nil, nil, err
	case refusal != nil:
		return nil, nil, refusal
	}
	return added, token, nil
}

// put stores the key, or says why not.
func (f *Factor) put(ctx context.Context, tx database.Tx, user *account.User, name string, credential *lib.Credential) (*key, *problem.Problem, error) {
	if refusal := mayAdd(user); refusal != nil {
		return nil, refusal, nil
	}
	if verification(user) == protocol.VerificationRequired && !credential.Flags.UserVerified {
		return nil, errUnverified, nil
	}
	have, err := keysOf(ctx, tx, user.ID)
	if err != nil {
		return nil, nil, err
	}
	if len(have) >= maxKeys {
		return nil, errTooManyKeys, nil
	}
	added, err := newKey(tx, user.ID, name, credential)
	if err != nil {
		return nil, nil, err
	}
	free, err := addKey(ctx, tx, added)
	if err != nil {
		return nil, nil, err
	}
	if !free {
		return nil, errTaken, nil
	}
	return added, nil, nil
}

// examineNew checks what the browser answered to the options.
func (f *Factor) examineNew(ctx context.Context, caller web.Caller, started *challenge, sent []byte) (*lib.Credential, *problem.Problem, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(sent)
	if err != nil {
		return nil, errRefused, nil // what can't be read is refused, and is no fault
	}
	user, err := account.ByID(ctx, f.Database.Read(), caller.Session.UserID)
	if err != nil {
		return nil, nil, err
	}
	if user == nil {
		return nil, nil, account.ErrNoUser
	}
	who, err := personOf(ctx, f.Database.Read(), user)
	if err != nil {
		return nil, nil, err
	}
	data, err := started.session()
	if err != nil {
		return nil, nil, err
	}
	if unverified(user, parsed.Response.AttestationObject.AuthData.Flags) {
		return nil, errUnverified, nil
	}
	credential, err := f.party.CreateCredential(who, data, parsed)
	if err != nil {
		f.Logger.InfoContext(ctx, "a new security key was refused", "why", explain(err), "request_id", caller.RequestID)
		return nil, errRefused, nil
	}
	if !f.party.signedHere(parsed.Response.CollectedClientData) {
		return nil, errRefused, nil
	}
	return credential, nil, nil
}

// Registration is a security key that is being added.
type Registration struct {
	ID        string          `json:"id"`
	Options   json.RawMessage `json:"options" doc:"For navigator.credentials.create: publicKey has what parseCreationOptionsFromJSON takes."`
	ExpiresAt time.Time       `json:"expires_at"`
}
