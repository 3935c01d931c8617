package recovery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/web"
)

// How far back an administrator is told of what came before a request.
const (
	usualWithin = 90 * 24 * time.Hour // sign-ins, and the networks that they came from
	freshWithin = 7 * 24 * time.Hour  // what somebody changes who takes an account over
	wrongWithin = 24 * time.Hour
	manyWrong   = 3
	mostEarlier = 10
)

// Warnings of a request, as an administrator reads them before they decide.
const (
	warnPassword        = "password_changed"
	warnPasswordMailbox = "password_by_mailbox"
	warnEmail           = "email_changed"
	warnRole            = "role_changed"
	warnWrongCodes      = "wrong_codes"
	warnLocked          = "codes_locked"
	warnBrowser         = "new_browser"
	warnNetwork         = "new_network"
	warnNothing         = "proved_by_nothing"
	warnStopped         = "stopped_before"
	warnRefused         = "refused_before"
	warnSeveral         = "several_requests"
)

// RecoveryFacts are what an administrator knows of a request before they decide.
type RecoveryFacts struct {
	ID          string     `json:"id"`
	Reference   string     `json:"reference"`
	State       string     `json:"state" enum:"asked,proved,approved,done,refused,stopped,cancelled,expired"`
	AskedAt     time.Time  `json:"asked_at"`
	ProvedAt    *time.Time `json:"proved_at,omitempty"`
	ProvedBy    string     `json:"proved_by" enum:",email,session,nothing" doc:"email: by the mailed link; session: by a browser signed in with a second step; nothing: no mail leaves the installation, so nobody can."`
	DecidableAt *time.Time `json:"decidable_at,omitempty" doc:"As things stand now."`
	ExpiresAt   time.Time  `json:"expires_at" doc:"When the state it is in is over by itself."`
	EndedAt     *time.Time `json:"ended_at,omitempty"`

	Person  session.User    `json:"person"`
	Request RecoveryRequest `json:"request"`
	Known   RecoveryKnown   `json:"known"`
	Earlier []EarlierTicket `json:"earlier" nullable:"false" doc:"The person's other tickets, the newest first."`

	Warnings  []RecoveryWarning  `json:"warnings" nullable:"false"`
	Approvals []RecoveryApproval `json:"approvals" nullable:"false" doc:"Those that count: of people who can still decide."`
	Refusal   *RecoveryApproval  `json:"refused" doc:"Set where an administrator has refused."`

	ApprovalsNeeded int        `json:"approvals_needed"`
	Eligible        int        `json:"eligible" doc:"How many administrators can decide: active, with 2-step verification of their own, and not the person."`
	Checklist       []string   `json:"checklist" doc:"By which identity is made sure of; null: nobody has changed it, and the client has its own words."`
	LinkUntil       *time.Time `json:"link_until,omitempty" doc:"Until when the enrolment link that is out is good."`
	Decidable       bool       `json:"decidable" doc:"The caller can approve it now."`
	RefusedFor      string     `json:"refusal,omitempty" doc:"Why they can't: the code with which an approval would be refused."`
	RefusesUntil    *time.Time `json:"refuses_until,omitempty"`
}

// RecoveryRequest is where it came from, and what its person wrote.
type RecoveryRequest struct {
	Browser string `json:"browser"`
	Address string `json:"address"`
	Message string `json:"message" doc:"Plain text; may be empty."`
}

// RecoveryKnown is what is known of the person, to compare the request with.
type RecoveryKnown struct {
	AccountSince     time.Time  `json:"account_since"`
	MFASince         *time.Time `json:"mfa_since"`
	LastSecondStepAt *time.Time `json:"last_second_step_at,omitempty"`
	BrowserSeen      bool       `json:"browser_seen" doc:"The person has signed in with this browser before."`
	NetworkSeen      bool       `json:"network_seen" doc:"The person has signed in from this network within 90 days."`
	SignIns          int        `json:"sign_ins_90_days"`
}

// EarlierTicket is another ticket of the person.
type EarlierTicket struct {
	ID        string    `json:"id"`
	Reference string    `json:"reference"`
	Kind      string    `json:"kind" enum:"help,recovery"`
	State     string    `json:"state" enum:"unproved,open,waiting,solved"`
	CreatedAt time.Time `json:"created_at"`
}

// RecoveryWarning is something that speaks against a request, or asks for more care.
type RecoveryWarning struct {
	Code string     `json:"code" enum:"password_changed,password_by_mailbox,email_changed,role_changed,wrong_codes,codes_locked,new_browser,new_network,proved_by_nothing,stopped_before,refused_before,several_requests"`
	At   *time.Time `json:"at,omitempty" doc:"When, the last time."`
}

// RecoveryApproval is one administrator's decision.
type RecoveryApproval struct {
	By      DecidedBy `json:"by"`
	Reason  string    `json:"reason"`
	Checked []string  `json:"checked" nullable:"false"`
	At      time.Time `json:"at"`
}

// DecidedBy names an administrator; one who is gone has no name.
type DecidedBy struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// facts reads all of it.
func (r *Recoveries) facts(ctx context.Context, caller web.Caller, ticketID string) (*RecoveryFacts, error) {
	db := r.Database.Read()
	found, err := byTicket(ctx, db, ticketID)
	if err != nil {
		return nil, err
	}
	user, err := account.ByID(ctx, db, found.UserID)
	if err != nil {
		return nil, err
	}
	if user == nil {
		return nil, ErrNone
	}
	others, err := deciders(ctx, db, user, found)
	if err != nil {
		return nil, err
	}
	facts := &RecoveryFacts{
		ID: found.TicketID, Reference: found.Reference, State: found.stateAt(r.Now()), AskedAt: found.AskedAt.Time(),
		ProvedAt: found.ProvedAt.OrNil(), ProvedBy: found.ProvedBy, DecidableAt: r.decidableAt(found, user, others).OrNil(),
		ExpiresAt: found.ExpiresAt.Time(), EndedAt: found.EndedAt.OrNil(),
		Person:          session.User{ID: user.ID, Name: user.Name, Email: user.Email, Role: user.Role},
		Request:         RecoveryRequest{Browser: found.Browser, Address: found.Address},
		ApprovalsNeeded: r.needed(user, others), Eligible: others.count,
	}
	for _, read := range []func(context.Context, bun.IDB, *recovery, *account.User, *RecoveryFacts) error{r.readTickets, r.readPast, r.readDecisions} {
		if err := read(ctx, db, found, user, facts); err != nil {
			return nil, err
		}
	}
	if facts.Checklist, err = r.Checklist(ctx); err != nil {
		return nil, err
	}
	if facts.State == Approved {
		until, err := signin.LinkUntil(ctx, db, user.ID, r.Now())
		if err != nil {
			return nil, err
		}
		facts.LinkUntil = until.OrNil()
	}
	return facts, r.judge(ctx, db, caller, found, user, others, facts)
}

// judge says whether the caller could approve it now.
func (r *Recoveries) judge(ctx context.Context, db bun.IDB, caller web.Caller, found *recovery, user *account.User, others circle, facts *RecoveryFacts) (err error) {
	var refusal *problem.Problem
	already := false
	for _, given := range facts.Approvals {
		already = already || given.By.ID == caller.Session.UserID
	}
	switch {
	case facts.State != Proved:
		refusal = ErrChanged
	case user.ID == caller.Session.UserID:
		refusal = ErrOwn
	case !caller.Session.MFA:
		refusal = web.ErrOwnFirst
	case already && len(facts.Approvals) < facts.ApprovalsNeeded:
		refusal = ErrDecided
	default:
		if refusal, err = r.undecidable(ctx, db, found, user, others, r.Now()); err != nil {
			return err
		}
	}
	if refusal == nil {
		facts.Decidable = true
		return nil
	}
	facts.RefusedFor = refusal.Code
	if refusal.Code == ErrTooEarly.Code {
		facts.RefusesUntil = facts.DecidableAt
	}
	return nil
}

// readTickets reads what the person wrote, and their other tickets.
func (r *Recoveries) readTickets(ctx context.Context, db bun.IDB, found *recovery, user *account.User, facts *RecoveryFacts) error {
	message, err := ticket.FirstMessage(ctx, db, found.TicketID)
	if err != nil {
		return err
	}
	facts.Request.Message = message
	others, err := ticket.OthersOf(ctx, db, user.ID, found.TicketID, mostEarlier)
	if err != nil {
		return err
	}
	facts.Earlier = make([]EarlierTicket, len(others))
	for n, one := range others {
		facts.Earlier[n] = EarlierTicket{ID: one.ID, Reference: one.Reference, Kind: one.Kind, State: one.State, CreatedAt: one.CreatedAt.Time()}
	}
	return nil
}

// pastKinds are the events that a request is compared with.
var pastKinds = []string{
	audit.SignInCompleted, audit.SignInSecondStep, audit.SignInCodeTested, audit.SessionCodeTested, audit.PasswordChanged, audit.PasswordSet, audit.EmailChanged, audit.RoleChanged,
	audit.RecoveryAsked, audit.RecoveryStopped, audit.RecoveryRefused,
}

// codeKinds are those of a code that was given or tested.
var codeKinds = []string{audit.SignInSecondStep, audit.SignInCodeTested, audit.SessionCodeTested}

// enough is how often something has to come before it is worth a warning; once, where it is not here.
var enough = map[string]int{warnWrongCodes: manyWrong}

// readPast compares the request with what the person usually does, and looks for what somebody does who takes an account over.
func (r *Recoveries) readPast(ctx context.Context, db bun.IDB, found *recovery, user *account.User, facts *RecoveryFacts) error {
	now := r.Now()
	past, err := audit.Past(ctx, db, user.ID, now.Add(-usualWithin), pastKinds...)
	if err != nil {
		return err
	}
	browserSeen, err := session.KnowsBrowser(ctx, db, user.ID, found.BrowserID)
	if err != nil {
		return err
	}
	facts.Known = RecoveryKnown{AccountSince: user.CreatedAt.Time(), MFASince: user.MFASince.OrNil(), BrowserSeen: browserSeen}
	network := networkOf(found.Address)
	at, times := map[string]time.Time{}, map[string]int{}
	warn := func(code string, when time.Time) {
		times[code]++
		if when.After(at[code]) {
			at[code] = when
		}
	}
	for _, one := range past {
		lately := one.At.After(now.Add(-freshWithin))
		switch {
		case one.Kind == audit.SignInCompleted && one.Result == audit.OK:
			facts.Known.SignIns++
			facts.Known.NetworkSeen = facts.Known.NetworkSeen || network != "" && networkOf(one.Address) == network
		case one.Kind == audit.SignInSecondStep && one.Result == audit.OK:
			if last := facts.Known.LastSecondStepAt; last == nil || one.At.After(*last) {
				facts.Known.LastSecondStepAt = &one.At
			}
		case slices.Contains(codeKinds, one.Kind) && one.Result == audit.Refused && one.At.After(now.Add(-wrongWithin)):
			warn(warnWrongCodes, one.At)
		case one.Result != audit.OK:
		case one.Kind == audit.PasswordChanged && one.Method == audit.ByPasswordLink && lately:
			warn(warnPasswordMailbox, one.At)
		case (one.Kind == audit.PasswordChanged || one.Kind == audit.PasswordSet) && lately:
			warn(warnPassword, one.At)
		case one.Kind == audit.EmailChanged && lately:
			warn(warnEmail, one.At)
		case one.Kind == audit.RoleChanged && lately:
			warn(warnRole, one.At)
		case one.Kind == audit.RecoveryAsked && lately && one.At.Before(found.AskedAt.Time()): // when the one before was, not this
			warn(warnSeveral, one.At)
		case one.Kind == audit.RecoveryStopped && one.At.Before(found.AskedAt.Time()):
			warn(warnStopped, one.At)
		case one.Kind == audit.RecoveryRefused && one.At.Before(found.AskedAt.Time()):
			warn(warnRefused, one.At)
		}
	}
	blocked, err := signin.CodesBlocked(ctx, db, user.ID, now)
	if err != nil {
		return err
	}
	undated := map[string]bool{
		warnLocked: blocked != nil && blocked.Locked, warnBrowser: !browserSeen, warnNetwork: !facts.Known.NetworkSeen,
		warnNothing: found.ProvedBy == byNothing,
	}
	facts.Warnings = []RecoveryWarning{}
	for _, code := range []string{
		warnStopped, warnRefused, warnPasswordMailbox, warnEmail, warnPassword, warnRole, warnLocked, warnWrongCodes,
		warnNothing, warnBrowser, warnNetwork, warnSeveral,
	} {
		when, dated := at[code]
		switch {
		case dated && times[code] >= max(1, enough[code]):
			facts.Warnings = append(facts.Warnings, RecoveryWarning{Code: code, At: &when})
		case undated[code]:
			facts.Warnings = append(facts.Warnings, RecoveryWarning{Code: code})
		}
	}
	return nil
}

// readDecisions reads what administrators have decided: those whose approval counts, and who has refused.
func (r *Recoveries) readDecisions(ctx context.Context, db bun.IDB, found *recovery, user *account.User, facts *RecoveryFacts) error {
	var rows []struct {
		decision `bun:",extend"`
		Counts   bool `bun:"counts,scanonly"`
	}
	where, args := counts(found, user)
	err := db.NewSelect().Model(&rows).ColumnExpr("d.*").
		ColumnExpr("EXISTS (SELECT 1 FROM users AS u WHERE u.id = d.administrator_id AND "+where+") AS counts", args...).
		Where("d.ticket_id = ?", found.TicketID).OrderExpr("d.at, d.administrator_id").Scan(ctx)
	if err != nil {
		return fmt.Errorf("read the decisions: %w", err)
	}
	ids := make([]string, len(rows))
	for n := range rows {
		ids[n] = rows[n].AdministratorID
	}
	names, err := r.Known.Names(ctx, ids)
	if err != nil {
		return err
	}
	facts.Approvals = []RecoveryApproval{}
	for _, row := range rows {
		given := RecoveryApproval{By: DecidedBy{ID: row.AdministratorID, Name: names[row.AdministratorID]}, Reason: row.Reason, At: row.At.Time(), Checked: []string{}}
		if err := json.Unmarshal([]byte(row.Checked), &given.Checked); err != nil {
			return fmt.Errorf("read a decision: %w", err)
		}
		if given.Checked == nil {
			given.Checked = []string{}
		}
		switch {
		case !row.Approve:
			facts.Refusal = &given
		case row.Counts || !open(found.State) || found.State == Approved:
			facts.Approvals = append(facts.Approvals, given)
		}
	}
	return nil
}

// networkOf is the network of an address on record; empty where it is none.
func networkOf(text string) string {
	address, err := netip.ParseAddr(text)
	if err != nil {
		return ""
	}
	return web.NetworkOf(address)
}
