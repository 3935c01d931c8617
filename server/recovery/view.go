package recovery

import (
	"bytes"
	"context"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/web"
)

// RecoveryView is a request as whoever has the password sees it: no more than they need to wait for it.
type RecoveryView struct {
	ID              string     `json:"id"`
	Reference       string     `json:"reference" doc:"For talking about it."`
	State           string     `json:"state" enum:"asked,proved,approved,done,refused,stopped,cancelled,expired" doc:"asked: waits for the proof of the address; proved: waits for its time and the decision; approved: an enrolment link is out."`
	AskedAt         time.Time  `json:"asked_at"`
	ProvedAt        *time.Time `json:"proved_at,omitempty"`
	DecidableAt     *time.Time `json:"decidable_at,omitempty" doc:"Before then nobody decides."`
	ExpiresAt       time.Time  `json:"expires_at" doc:"When the state it is in is over by itself."`
	Here            bool       `json:"here" doc:"This browser has asked for it."`
	ProofByMail     bool       `json:"proof_by_mail" doc:"A link goes to the address. Where no mail leaves, nobody can prove one, and it waits for its time at once."`
	ApprovalsNeeded int        `json:"approvals_needed"`
	Approvals       int        `json:"approvals"`
}

func (r *Recoveries) view(ctx context.Context, caller web.Caller, user *account.User, found *recovery) (*RecoveryView, error) {
	who, err := deciders(ctx, r.Database.Read(), user, found)
	if err != nil {
		return nil, err
	}
	given, err := approvals(ctx, r.Database.Read(), found, user)
	if err != nil {
		return nil, err
	}
	return &RecoveryView{
		ID: found.TicketID, Reference: found.Reference, State: found.stateAt(r.Now()), AskedAt: found.AskedAt.Time(),
		ProvedAt: found.ProvedAt.OrNil(), DecidableAt: r.decidableAt(found, user, who).OrNil(), ExpiresAt: found.ExpiresAt.Time(),
		Here: found.here(caller.Client), ProofByMail: r.Mail.Sends(), ApprovalsNeeded: r.needed(user, who), Approvals: given,
	}, nil
}

// here reports whether the request came from the caller's browser.
func (r *recovery) here(client web.Client) bool {
	return client.BrowserID != nil && bytes.Equal(r.BrowserID, client.BrowserID)
}

// OwnView is an open request as a browser sees it in which its person is signed in: enough to know whether it was them.
type OwnView struct {
	ID          string     `json:"id"`
	Reference   string     `json:"reference"`
	State       string     `json:"state" enum:"asked,proved,approved"`
	AskedAt     time.Time  `json:"asked_at"`
	Browser     string     `json:"browser"`
	Address     string     `json:"address"`
	ProvedAt    *time.Time `json:"proved_at,omitempty"`
	DecidableAt *time.Time `json:"decidable_at,omitempty"`
	ExpiresAt   time.Time  `json:"expires_at" doc:"When the state it is in is over by itself."`
	Delay       int        `json:"delay_seconds" doc:"How long it waits from its proof until it can be decided, as things stand."`
	CanConfirm  bool       `json:"can_confirm" doc:"This session can stand in for the proof of the address."`
}

// own reads a person's open request, for themself or for an administrator; nil without one.
func (r *Recoveries) own(ctx context.Context, caller web.Caller, userID string) (*OwnView, error) {
	db := r.Database.Read()
	user, err := account.ByID(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, account.ErrNoUser
	}
	found, err := openOf(ctx, db, userID)
	if err != nil || found == nil || !open(found.stateAt(r.Now())) {
		return nil, err
	}
	who, err := deciders(ctx, db, user, found)
	if err != nil {
		return nil, err
	}
	return &OwnView{
		ID: found.TicketID, Reference: found.Reference, State: found.State, AskedAt: found.AskedAt.Time(),
		Browser: found.Browser, Address: found.Address, ProvedAt: found.ProvedAt.OrNil(),
		DecidableAt: r.decidableAt(found, user, who).OrNil(), Delay: inSeconds(r.wait(user, who)), ExpiresAt: found.ExpiresAt.Time(),
		CanConfirm: userID == caller.Session.UserID && found.State == Asked && confirms(caller.Session),
	}, nil
}

func inSeconds(wait time.Duration) int { return int(wait / time.Second) }
