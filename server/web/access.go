package web

// Access is who may call an operation. The zero Access is none: an operation
// with it keeps the server from starting.
type Access struct {
	name       string
	credential credential
	confined   bool // a session confined to enrolment will do
	role       string
	protected  bool // 2-step verification of one's own is on
	fresh      bool // needs fresh proof
	full       bool // given with what is good for everything
	optional   bool // a full session is told of, and not asked for
}

type credential int

const (
	nobody credential = iota
	pendingSignIn
	session
)

// RoleAdministrator is the Session.Role that Administrator asks for.
const RoleAdministrator = "administrator"

// The levels, from anybody to an administrator with fresh proof.
var (
	// Public: anybody.
	Public = Access{name: "public"}
	// Visitor: anybody, and the handler learns who is signed in, if somebody is.
	Visitor = Access{name: "visitor", optional: true}
	// Pending: a browser that gave the right password and owes its second step.
	Pending = Access{name: "pending", credential: pendingSignIn}
	// Enrolling: any session, also one confined to enrolment.
	Enrolling = Access{name: "enrolling", credential: session, confined: true}
	// SignedIn: a full session.
	SignedIn = Access{name: "signed_in", credential: session}
	// Fresh: a full session with fresh proof.
	Fresh = Access{name: "fresh", credential: session, fresh: true}
	// FreshByApp: the same, and the proof was given with one of Options.FullProofs,
	// such as the app, and not with a backup code.
	FreshByApp = Access{name: "fresh_by_app", credential: session, fresh: true, full: true}
	// FreshEnrolling: fresh proof, in any session, also a confined one.
	FreshEnrolling = Access{name: "fresh_enrolling", credential: session, confined: true, fresh: true}
	// Administrator: a full session of an administrator.
	Administrator = Access{name: "administrator", credential: session, role: RoleAdministrator}
	// ProtectedAdministrator: one who has 2-step verification themself (security.md, "administrators").
	ProtectedAdministrator = Access{name: "protected_administrator", credential: session, role: RoleAdministrator, protected: true}
	// FreshAdministrator: an administrator's act on somebody, with 2-step verification of
	// their own and fresh proof as for FreshByApp (security.md, "a session opened by a backup code").
	FreshAdministrator = Access{name: "fresh_administrator", credential: session, role: RoleAdministrator, protected: true, fresh: true, full: true}
)

// String is the level's name, as in the matrix and in "x-access".
func (a Access) String() string {
	if a.name == "" {
		return "undeclared"
	}
	return a.name
}
