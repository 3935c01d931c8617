// Package server puts the rooms together. Here, and nowhere else, is written which room works with which.
package server

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/audit/seal"
	"github.com/secondstep/secondstep/server/budget"
	"github.com/secondstep/secondstep/server/clock"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/email"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/authenticator"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/factor/webauthn"
	"github.com/secondstep/secondstep/server/forgotten"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/help"
	"github.com/secondstep/secondstep/server/keyring"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/mfa"
	"github.com/secondstep/secondstep/server/people"
	"github.com/secondstep/secondstep/server/protection"
	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/rollout"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/settings"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/ticket"
	"github.com/secondstep/secondstep/server/upkeep"
	"github.com/secondstep/secondstep/server/web"
)

// pruneEvery is how often rows whose time is over are deleted.
const pruneEvery = 10 * time.Minute

// indexEvery is how often some of those are indexed who wait for it.
const indexEvery = time.Minute

// recountEvery is how often everybody is counted, to sum up the tally of them.
const recountEvery = time.Hour

// countEvery is how often refusals are counted for where people get stuck.
const countEvery = time.Minute

// Config is everything that is decided outside: by flags, by the environment, or by a test.
type Config struct {
	Data        string // the folder of the embedded database and of the key ring
	DatabaseURL string // postgres://…; empty for the embedded SQLite
	Keyring     string // the text of the key ring; empty for the file in Data
	Version     string
	Brand       string           // that a flag has set; empty: what is stored
	Fixed       []settings.Fixed // what flags have set, for administrators to see

	PasswordCost   hashing.Params
	BackupCodeCost hashing.Params
	HashWorkers    int           // 0: the pool's own default
	HashWait       time.Duration // 0: the pool's own default
	Sessions       session.Settings
	Recovery       recovery.Settings
	TOTPWindow     int            // steps accepted each side of now, 0 or 1
	SecurityKeys   *url.URL       // the public URL that security keys sign for; nil turns them off
	Mail           *mail.Settings // how mails leave; nil: none do
	HelpFolder     string         // of the installation's own help articles; empty: it has none
	ChatURL        string         // where people answer who needs a hand; empty: nowhere
	Host           string         // by which administrators find the machine

	Now    func() time.Time
	Random io.Reader
	Logger *slog.Logger
}

// Face is what the network sees of the server.
type Face struct {
	PublicURL       *url.URL
	LoopbackAliases bool
	TrustedProxies  []netip.Prefix
	Dist            fs.FS // the built front end
}

// Server is an open installation: database, keys and rooms.
type Server struct {
	Database  *database.Database
	Passwords *account.Passwords
	SignIn    *signin.SignIn
	People    *people.People
	Forgotten *forgotten.Forgotten
	Upkeep    *upkeep.Upkeep
	Hashes    *hashing.Pool
	Seals     *seal.Seals
	Mail      *mail.Mail
	RollOuts  *rollout.RollOuts
	Help      *help.Help
	Clock     *clock.Watch
	Tickets   *ticket.Tickets

	config   Config
	ring     *keyring.Ring
	factors  factor.Set
	sessions *session.Sessions
	mfa      *mfa.MFA
	emails   *email.Emails
	recovery *recovery.Recoveries
	stops    *stop.Stops
	settings *settings.Settings
}

// Open opens the database, migrates it, and opens the keys.
func Open(ctx context.Context, config Config) (*Server, error) {
	db, err := database.Open(ctx, database.Options{
		URL: config.DatabaseURL, Folder: config.Data, Now: config.Now, Random: config.Random, Logger: config.Logger,
	})
	if err != nil {
		return nil, err
	}
	ring, err := openKeys(ctx, db, filepath.Join(config.Data, keysFile), config.Keyring)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	wired, err := wire(config, db, ring)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return wired, nil
}

// wire gives each room what it works with.
func wire(config Config, db *database.Database, ring *keyring.Ring) (*Server, error) {
	pool := hashing.New(hashing.Options{Workers: config.HashWorkers, MaxWait: config.HashWait, Now: config.Now})
	own := settings.New(settings.Dependencies{
		Database: db, Keys: ring, Brand: config.Brand, Fixed: config.Fixed, Now: config.Now, Logger: config.Logger,
	})
	passwords := account.NewPasswords(pool, config.PasswordCost, own.Name)
	sessions := session.New(db, config.Sessions, config.Now, config.Random)

	apps := authenticator.New(db, ring, config.TOTPWindow, config.Now, config.Logger)
	codes := backupcode.New(db, pool, config.BackupCodeCost)
	keys, err := webauthn.New(webauthn.Dependencies{
		Database: db, Site: config.SecurityKeys, Brand: own.Name,
		Now: config.Now, Random: config.Random, Logger: config.Logger,
	})
	if err != nil {
		return nil, err
	}
	factors := factor.Set{apps, keys, codes} // a further kind of factor is one more entry here

	watch := clock.New(db, config.Host, config.Now, config.Logger)
	in := signin.New(signin.Dependencies{
		Database: db, Passwords: passwords, Sessions: sessions, Factors: factors, Clock: watch,
		Now: config.Now, Random: config.Random, Logger: config.Logger,
	})
	mails, err := mail.New(mail.Dependencies{
		Database: db, Keys: ring, Settings: config.Mail, Brand: own.Name, CodesLeft: codesLeft(db, codes), GaveUp: mailGivenUp, Message: rollout.MessageOf(db),
		Now: config.Now, Logger: config.Logger,
	})
	if err != nil {
		return nil, err
	}
	own.Mail = mails
	stops := stop.New(stop.Dependencies{
		Database: db, Sessions: sessions, Mail: mails, Random: config.Random,
		Links: []func(context.Context, database.Tx, string) error{signin.VoidEnrolmentLink, voidEmailChange, ticket.VoidKeys},
	})
	back := recovery.New(recovery.Dependencies{
		Database: db, Keys: ring, Sessions: sessions, SignIn: in, Stops: stops, Mail: mails, ByMail: byMail(mails, mail.RecoveryApproved),
		Checklist: own.RecoveryChecklist, Known: account.Known{Database: db}, Settings: config.Recovery, Now: config.Now, Random: config.Random,
	})
	in.Recovered, in.LastRecovery = back.Cancel, back.Last
	stops.StopRecovery, stops.EndRecovery = back.Stop, back.Supersede
	emails := email.New(email.Dependencies{Database: db, Sessions: sessions, Recovery: back, Stops: stops, Mail: mails, Random: config.Random})
	protects := mfa.New(mfa.Dependencies{
		Database: db, Keys: ring, Apps: apps, Codes: backupcode.NewIssuer(db, pool, config.BackupCodeCost, config.Random),
		Factors: factors, Sessions: sessions, SignIn: in, Recovery: back, ByMail: byMail(mails, mail.EnrolmentLink), Stops: stops, Mails: mails.Sends(), Brand: own.Name, Now: config.Now, Random: config.Random,
	})
	others := people.New(people.Dependencies{
		Database: db, Passwords: passwords, Sessions: sessions, Recovery: back, ByMail: byMail(mails, mail.Invitation), Mails: mails.Sends(),
		Full: func(ctx context.Context, tx database.Tx, address string) (bool, error) {
			return mails.Full(ctx, tx, address, mail.Invitation)
		},
		Now: config.Now, Random: config.Random,
	})
	lost := forgotten.New(forgotten.Dependencies{
		Database: db, Passwords: passwords, SignIn: in, Mail: mails, Now: config.Now, Random: config.Random,
	})
	mails.Prepare = lost.Answer
	many := rollout.New(rollout.Dependencies{
		Database: db, MFA: protects, Mail: mails, People: account.Known{Database: db}, Now: config.Now, Logger: config.Logger,
	})
	tickets := ticket.New(ticket.Dependencies{
		Database: db, Mail: mails, Names: account.Known{Database: db}.Names, Now: config.Now, Random: config.Random,
	})
	centre := help.New(help.Dependencies{
		Database: db, Tickets: tickets, Folder: config.HelpFolder, ChatURL: config.ChatURL, Now: config.Now, Random: config.Random,
	})
	// Each room prunes in a transaction of its own: what one can't delete keeps no other from it.
	jobs := []upkeep.Job{
		prune("sessions", sessions.Prune), prune("sign-ins", in.Prune), prune("invitations", others.Prune), prune("mails", mail.Prune),
		prune("changes of addresses", emails.Prune), prune("links to stop", stops.Prune), prune("forgotten passwords", lost.Prune),
		{Name: "requests to get back in", Every: recovery.WorkEvery, Run: back.Work}, prune("requests to get back in", back.Prune),
		prune("roll-outs", rollout.Prune), prune("help votes", help.Prune),
		{Name: "count refusals", Every: countEvery, Run: protection.CountRefusals}, {Name: "count people", Every: recountEvery, Run: account.Recount},
		{Name: "index people", Every: indexEvery, Run: account.IndexAnew},
		prune("tickets", tickets.Prune), prune("budgets", budget.Prune),
	}
	for _, one := range factors {
		jobs = append(jobs, prune(string(one.Kind()), one.Prune))
	}
	return &Server{
		Database: db, Passwords: passwords, SignIn: in, People: others, Forgotten: lost, Upkeep: upkeep.New(db, config.Logger, jobs...), Hashes: pool,
		Mail: mails, RollOuts: many, Help: centre, Tickets: tickets, Clock: watch, Seals: seal.New(db, ring, config.Now, config.Logger), config: config, ring: ring, factors: factors, sessions: sessions, mfa: protects,
		emails: emails, stops: stops, recovery: back, settings: own,
	}, nil
}

// byMail sends links of one kind to the people whom an administrator made them for.
func byMail(mails *mail.Mail, kind mail.Kind) account.LinkByMail {
	return func(ctx context.Context, tx database.Tx, user *account.User, path string, until time.Time) (bool, error) {
		sent, err := mails.Send(ctx, tx, mail.Letter{
			UserID: user.ID, To: user.Email, Name: user.Name, Kind: kind, Facts: mail.Facts{By: mail.ByAdministrator}, Path: path, Until: until,
		})
		if err == nil && !sent && mails.Sends() { // they have had too many: nobody else gets to see it instead
			err = audit.ErrTooManyChanges.After(time.Hour)
		}
		return sent, err
	}
}

// voidEmailChange ends the link of an address that waits to be proved.
func voidEmailChange(ctx context.Context, tx database.Tx, userID string) error {
	_, err := account.WithdrawEmail(ctx, tx, userID)
	return err
}

// prune makes a job of what a room deletes because its time is over.
func prune(what string, delete func(context.Context, database.Tx) error) upkeep.Job {
	return upkeep.Job{Name: "prune " + what, Every: pruneEvery, Run: delete}
}

// codesLeft tells the mail room how many backup codes a person has.
func codesLeft(db *database.Database, codes factor.Factor) func(context.Context, string) (int, bool, error) {
	return func(ctx context.Context, userID string) (left int, few bool, err error) {
		held, err := codes.Held(ctx, db.Read(), userID)
		for _, set := range held {
			left += set.Remaining
		}
		return left, left < account.FewCodes, err
	}
}

// mailGivenUp puts on record that somebody could not be told of something.
func mailGivenUp(ctx context.Context, tx database.Tx, userID string, kind mail.Kind) error {
	event := audit.Event{Data: map[string]any{"mail": string(kind)}}
	return audit.Record(ctx, tx, event.About(userID).Is(audit.MailGivenUp, audit.OK))
}

// API makes the HTTP face of the installation, ready to serve.
func (s *Server) API(face Face) (*web.API, error) {
	api, err := web.New(web.Options{
		PublicURL: face.PublicURL, LoopbackAliases: face.LoopbackAliases, TrustedProxies: face.TrustedProxies,
		Look: s.settings.Look, Stylesheet: settings.Stylesheet, Version: s.config.Version, Now: s.config.Now, Random: s.config.Random, Logger: s.config.Logger,
		Dist: face.Dist, Ready: s.Database.Ping, ClockOff: s.Clock.Off, SetupNeeded: s.setupNeeded, Mails: s.Mail.Sends(),
		// A password is one where there is no second step: the session room lets it be none where there is.
		FullProofs: append(s.factors.Full(), web.Password),
	})
	if err != nil {
		return nil, err
	}
	s.register(api)
	if err := s.Help.Open(api); err != nil {
		return nil, err
	}
	return api, api.Start(callers{s.sessions, s.SignIn})
}

func (s *Server) register(api *web.API) {
	s.SignIn.Register(api)
	s.sessions.Register(api)
	account.Register(api, s.Database, s.config.Now)
	s.People.Register(api)
	s.Forgotten.Register(api)
	audit.Register(api, s.Database, account.Known{Database: s.Database})
	s.Seals.Register(api)
	s.Mail.Register(api)
	s.settings.Register(api)
	s.mfa.Register(api)
	s.emails.Register(api)
	s.stops.Register(api, s.config.Now)
	s.recovery.Register(api)
	s.RollOuts.Register(api)
	protection.Register(api, s.Database, s.config.Now)
	protection.RegisterRefusals(api, s.Database, s.config.Now)
	protection.RegisterWarnings(api, s.Database, s.config.Now, s.ring.PrimaryID, s.Clock.Wrong)
	s.Help.Register(api)
	s.Tickets.Register(api)
	s.factors.Register(api, s.mfa.FactorsChanged)
}

func (s *Server) setupNeeded(ctx context.Context) bool {
	set, err := account.HasAdministrator(ctx, s.Database.Read())
	return err == nil && !set
}

// ResetMFA resets somebody on the console, and answers the token of their enrolment link with until when it is good.
func (s *Server) ResetMFA(ctx context.Context, userID string) (token string, until time.Time, err error) {
	return s.mfa.ResetOnConsole(ctx, userID)
}

// SetEmail gives somebody another address on the console.
func (s *Server) SetEmail(ctx context.Context, userID, address string) error {
	return s.emails.SetOnConsole(ctx, userID, address)
}

// NotePublicURL keeps where browsers reach the server that starts now.
func (s *Server) NotePublicURL(ctx context.Context, url string) error {
	return s.settings.NotePublicURL(ctx, url)
}

// PublicURL is where the server that ran last was reached; empty where none ever ran.
func (s *Server) PublicURL(ctx context.Context) (string, error) { return s.settings.PublicURL(ctx) }

// Now is the time of the installation.
func (s *Server) Now() time.Time { return s.config.Now() }

// Close ends the database; what was answered is durable.
func (s *Server) Close() error { return s.Database.Close() }

// OpenAPI is the document of all calls, made without an installation.
func OpenAPI(version string) ([]byte, error) {
	api, err := web.New(web.Options{
		PublicURL: &url.URL{Scheme: "http", Host: "localhost"}, Version: version,
		Now: noTime, Random: noRandomness{}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	described, err := wire(Config{Version: version, PasswordCost: hashing.Passwords, BackupCodeCost: hashing.BackupCodes, Now: noTime}, nil, nil)
	if err != nil {
		return nil, err
	}
	described.register(api)
	return api.OpenAPI(), nil
}

// noTime is for describing, which asks for none.
func noTime() time.Time { return time.Time{} }

// noRandomness is for describing, which draws nothing.
type noRandomness struct{}

func (noRandomness) Read([]byte) (int, error) {
	return 0, errors.New("describing the API draws no randomness")
}

// callers answers web's two questions from the two rooms that know.
type callers struct {
	sessions *session.Sessions
	signIn   *signin.SignIn
}

func (c callers) Session(ctx context.Context, token []byte) (*web.Session, error) {
	return c.sessions.Session(ctx, token)
}

func (c callers) Pending(ctx context.Context, token []byte) (*web.PendingSignIn, error) {
	return c.signIn.Pending(ctx, token)
}
