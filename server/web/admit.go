package web

import (
	"net/http"
	"slices"

	"github.com/secondstep/secondstep/server/problem"
)

// admit decides whether a request may reach an operation of this access, and
// notes who calls. The order of the checks is the order of these lines:
// cross-site, credential, confinement, role, own protection, fresh proof. It answers nil for
// yes, or the refusal.
func (a *API) admit(r *request, fctx *requestCtx, access Access) *problem.Problem {
	r.caller.Client = a.client(r, fctx)

	if changesState(r.method) && !a.sameSite(fctx) {
		return a.crossSiteRefusal()
	}

	switch access.credential {
	case nobody:
		return a.admitAnybody(r, fctx, access)
	case pendingSignIn:
		return a.admitPending(r, fctx)
	}

	s, refusal := a.findSession(r, fctx)
	if refusal != nil {
		return refusal
	}
	r.caller.Session = s
	return a.allows(s, access)
}

// allows decides what a session may do: confinement, role, own protection, fresh proof.
func (a *API) allows(s *Session, access Access) *problem.Problem {
	if s.ConfinedTo != "" && !access.confined {
		return enrolmentRequired
	}
	if access.role != "" && s.Role != access.role {
		return ErrNotPermitted
	}
	if access.protected && !s.MFA {
		return ErrOwnFirst
	}
	if access.fresh {
		return a.admitFresh(s, access.full)
	}
	return nil
}

// admitAnybody lets everybody in, and finds who is signed in where that is asked for. A session that has ended, or may do
// nothing but enrol, is none; only what can't be looked up is a refusal.
func (a *API) admitAnybody(r *request, fctx *requestCtx, access Access) *problem.Problem {
	if !access.optional {
		return nil
	}
	s, refusal := a.findSession(r, fctx)
	if refusal != nil && refusal.Status >= http.StatusInternalServerError {
		return refusal
	}
	if refusal == nil && s.ConfinedTo == "" {
		r.caller.Session = s
	}
	return nil
}

// admitFresh asks for fresh proof, and with full for one that is good for everything.
func (a *API) admitFresh(s *Session, full bool) *problem.Problem {
	if !s.Fresh(a.now()) {
		if full && s.MFA {
			return ErrFreshProofRequired.With("app_only", true)
		}
		return ErrFreshProofRequired
	}
	if full && !slices.Contains(a.fullProofs, s.FreshWith) {
		return ErrAppCodeRequired
	}
	return nil
}

// findSession takes the session from its cookie and from nowhere else: no
// Authorization header, no query. A cookie whose session is gone is left where
// it is: a clearing answer could arrive after the cookie of the next session
// and take that one away.
func (a *API) findSession(r *request, fctx *requestCtx) (*Session, *problem.Problem) {
	raw, sent := token(fctx, a.cookies.session)
	if !sent {
		return nil, notSignedIn
	}
	if raw == nil {
		return nil, sessionEnded
	}
	s, err := a.auth.Session(r, raw)
	if err != nil {
		return nil, problem.Of(err)
	}
	if s == nil {
		return nil, sessionEnded
	}
	return s, nil
}

func (a *API) admitPending(r *request, fctx *requestCtx) *problem.Problem {
	raw, sent := token(fctx, a.cookies.pending)
	if !sent {
		return notSignedIn
	}
	if raw == nil {
		return signInExpired
	}
	p, err := a.auth.Pending(r, raw)
	if err != nil {
		return problem.Of(err)
	}
	if p == nil {
		return signInExpired
	}
	r.caller.Pending = p
	return nil
}

// changesState says whether requests of this method may change something; only
// those are worth sending from another site.
func changesState(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return true
}
