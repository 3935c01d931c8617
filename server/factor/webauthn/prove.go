package webauthn

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-webauthn/webauthn/protocol"
	lib "github.com/go-webauthn/webauthn/webauthn"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
)

// The reasons for which what a security key has signed is refused.
const (
	Refused          diagnosis.Reason = "security_key_refused"    // not signed, not for this site, or not by this key
	Unknown          diagnosis.Reason = "security_key_unknown"    // no key of this person's
	Unverified       diagnosis.Reason = "security_key_unverified" // the device did not ask for its PIN or fingerprint
	Cloned           diagnosis.Reason = "security_key_cloned"     // its counter has not risen: there may be a copy
	ChallengeExpired diagnosis.Reason = "challenge_expired"       // answered before, too late, or in another place
)

// random draws 32 bytes: a challenge or a handle.
func (f *Factor) random() ([]byte, error) {
	drawn := make([]byte, 32)
	if _, err := io.ReadFull(f.Random, drawn); err != nil {
		return nil, fmt.Errorf("draw a challenge: %w", err)
	}
	return drawn, nil
}

func decodeChallenge(sent string) ([]byte, error) {
	return base64.RawURLEncoding.Strict().DecodeString(sent)
}

// Challenge begins a ceremony and answers what navigator.credentials.get wants.
func (f *Factor) Challenge(ctx context.Context, attempt factor.Attempt) (json.RawMessage, error) {
	if f.party == nil {
		return nil, errOff
	}
	drawn, err := f.random()
	if err != nil {
		return nil, err
	}
	var options *protocol.CredentialAssertion
	err = f.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, attempt.UserID)
		if err != nil {
			return err
		}
		who, err := personOf(ctx, tx, user)
		if err != nil {
			return err
		}
		if len(who.keys) == 0 || user.Reset() {
			return errNoKey
		}
		var data *lib.SessionData
		options, data, err = f.party.BeginLogin(who, lib.WithChallenge(drawn), lib.WithUserVerification(verification(user)))
		if err != nil {
			return fmt.Errorf("begin with a security key: %w", err)
		}
		begins := challenge{
			UserID: user.ID, Ceremony: attempt.Ceremony, Holder: attempt.Holder, Challenge: drawn, Network: attempt.Client.Network,
		}
		return begins.keep(ctx, tx, data)
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(options)
}

// Examine checks what was signed. The database is only read: whatever it finds, Spend ends the challenge.
func (f *Factor) Examine(ctx context.Context, attempt factor.Attempt) (factor.Finding, error) {
	if f.party == nil {
		return nil, errOff
	}
	found := &finding{attempt: attempt}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(attempt.Response))
	if err != nil {
		found.reason = Refused
		return found, nil //nolint:nilerr // a refusal
	}
	db := f.Database.Read()
	if found.challenge, err = begun(ctx, db, f.Now(), attempt, parsed.Response.CollectedClientData); err != nil {
		return nil, err
	}
	if found.challenge == nil {
		found.reason = ChallengeExpired
		return found, nil
	}
	user, err := account.ByID(ctx, db, attempt.UserID)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, account.ErrNoUser
	}
	who, err := personOf(ctx, db, user)
	if err != nil {
		return nil, err
	}
	if found.key = who.key(parsed.RawID); found.key == nil {
		found.reason = Unknown
		return found, nil
	}
	data, err := found.challenge.session()
	if err != nil {
		return nil, err
	}
	signed := parsed.Response.AuthenticatorData.Flags
	if found.now, err = f.party.ValidateLogin(who, data, parsed); err != nil || !f.party.signedHere(parsed.Response.CollectedClientData) {
		found.reason = Refused
		if err != nil {
			f.Logger.InfoContext(ctx, "what a security key signed was refused", "why", explain(err), "request_id", attempt.Client.RequestID)
		}
	}
	if unverified(user, signed) {
		found.reason = Unverified
	}
	return found, nil
}

// explain is what the library says for whoever looks into it; the parts in it that were sent are left out.
func explain(err error) string {
	if told := new(protocol.Error); errors.As(err, &told) {
		return told.Type + ": " + told.Details
	}
	return "unreadable"
}

// finding is what was signed, and what it is worth.
type finding struct {
	attempt   factor.Attempt
	challenge *challenge       // nil where there is none
	key       *key             // nil where it is none of the person's
	now       *lib.Credential  // the credential as it is after this use
	reason    diagnosis.Reason // of the refusal; empty where the signature is right
}

// Spend ends the challenge, and takes the key's counter forward where the signature is right.
func (f *finding) Spend(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error) {
	if f.challenge != nil {
		first, err := f.challenge.spend(ctx, tx)
		if err != nil {
			return nil, err
		}
		if !first {
			return &diagnosis.Diagnosis{Reason: ChallengeExpired}, nil
		}
	}
	if f.reason != "" {
		return &diagnosis.Diagnosis{Reason: f.reason}, nil
	}
	if !f.now.Authenticator.CloneWarning {
		risen, err := useKey(ctx, tx, f.key, f.now)
		if err != nil || risen {
			return nil, err
		}
	}
	return f.suspect(ctx, tx)
}

// suspect is about a counter that has not risen, or that a use at the same time has overtaken. A key that cannot leave
// its device has been copied, and is refused. One that is kept in several places by design has a counter in each, so it
// is accepted, and somebody is told.
func (f *finding) suspect(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error) {
	accepted := f.key.BackupEligible
	there, err := warnOfClone(ctx, tx, f.key, accepted)
	if err != nil {
		return nil, err
	}
	if !there {
		return &diagnosis.Diagnosis{Reason: Unknown}, nil
	}
	if !accepted {
		// The refusal of the sign-in or the proof is the event.
		return &diagnosis.Diagnosis{Reason: Cloned}, nil
	}
	event := audit.From(f.attempt.Client).About(f.attempt.UserID).Is(audit.FactorSuspect, audit.OK)
	event.Method, event.Reason, event.Session = string(Kind), string(Cloned), f.attempt.Holder
	return nil, audit.Record(ctx, tx, event)
}
