package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/secondstep/secondstep/server"
	"github.com/secondstep/secondstep/server/demo"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/recovery"
)

func newDemo(p program) *cobra.Command {
	cmd := newDemoStart(p)
	cmd.Use, cmd.Short = "demo", "Try it with made-up people: a throw-away installation."
	return group(cmd, newDemoStart(p), newDemoCode(p))
}

// demoStartCommand has flags of its own and no environment: the settings of a real installation, which may be set where
// somebody tries the demo, must not reach it.
type demoStartCommand struct {
	Data        string
	DatabaseURL string
	Listen      string
	People      int
	Brand       string
}

// newDemoStart is what `demo` does by itself, too.
func newDemoStart(p program) *cobra.Command {
	var c demoStartCommand
	cmd := &cobra.Command{
		Use: "start", Short: "Do what demo does by itself.", Args: cobra.ExactArgs(0), RunE: p.does(c.Run),
		Long: "Make a throw-away installation of about 40 people and serve it. Everything is gone when it ends.",
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	pathVar(flags, &c.Data, "data", "", "Keep the demo in this `folder`, which must hold no installation; by default it lies in a temporary one.")
	flags.StringVar(&c.DatabaseURL, "database-url", "", "The `URL` of an empty PostgreSQL database for the demo, as postgres://user:password@host/name; by default the embedded SQLite.")
	flags.StringVar(&c.Listen, "listen", "127.0.0.1:8080", "The `address` and port to listen on, of this machine's loopback.")
	flags.IntVar(&c.People, "people", 0, "Add so many more people, who all have the same password.")
	bindBrand(flags, &c.Brand)
	return cmd
}

// Run makes the demo and serves it until it is told to stop.
func (c *demoStartCommand) Run(p program) (err error) {
	if c.People < 0 || c.People > 9_999_999 {
		return misusedf("--people must be 0 to 9,999,999")
	}
	if c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://") {
		return misusedf("--database-url must begin with postgres://, or be empty for the embedded SQLite")
	}
	listener, err := listen(p.ctx, c.Listen)
	if err != nil {
		return err
	}
	if address, ok := listener.Addr().(*net.TCPAddr); !ok || !address.IP.IsLoopback() {
		return errors.Join(misusedf("--listen must be on this machine's loopback: everybody knows the demo's password"), listener.Close())
	}
	installation, made, cleanUp, err := c.make(p, listener.Addr())
	defer func() { err = errors.Join(err, cleanUp()) }()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, installation.Close()) }()
	if err := installation.Database.ClaimServe(); err != nil {
		return errors.Join(err, listener.Close())
	}
	face := server.Face{PublicURL: own(listener.Addr()), LoopbackAliases: true, Dist: p.dist}
	serving := serveCommand{LogLevel: slog.LevelWarn, LogFormat: "auto"}
	c.instruct(p.out, face.PublicURL, made)
	return serving.serve(p, serving.logger(p), installation, face, listener)
}

func own(address net.Addr) *url.URL { return &url.URL{Scheme: "http", Host: address.String()} }

// make makes the demo and opens it. What cleanUp takes away is there even after a failure.
func (c *demoStartCommand) make(p program, listening net.Addr) (installation *server.Server, made *demo.Demo, cleanUp func() error, err error) {
	cleanUp = func() error { return nil }
	folder := c.Data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "secondstep-demo-"); err != nil {
			return nil, nil, cleanUp, err
		}
		cleanUp = func() error { return os.RemoveAll(folder) }
	}
	config := server.Config{
		Data: folder, DatabaseURL: c.DatabaseURL, Version: p.version, Brand: c.Brand,
		PasswordCost: hashing.Passwords, BackupCodeCost: hashing.BackupCodes, TOTPWindow: 1, Sessions: standardLives,
		Now: time.Now, Random: rand.Reader, Logger: p.warnings(),
	}
	as := serveCommand{
		storage: storage{DatabaseURL: c.DatabaseURL}, TOTPWindow: config.TOTPWindow, LogLevel: slog.LevelWarn,
		SessionIdle: standardLives.Member.Idle, SessionLife: standardLives.Member.Absolute,
		AdministratorSessionIdle: standardLives.Administrator.Idle, AdministratorSessionLife: standardLives.Administrator.Absolute,
		RecoveryDelay: recovery.DefaultDelay, RecoveryApprovals: recovery.DefaultApprovals,
	}
	config.Fixed = as.fixed(own(listening))
	made, err = demo.Make(p.ctx, demo.Options{Config: config, PublicURL: own(listening), Progress: p.progress("Three weeks of a small company")})
	if err != nil {
		return nil, nil, cleanUp, err
	}
	made.Folder = folder
	// Where nothing can be written down for this user, the command must say where it is.
	if forget, err := demo.Note(folder, config.Now()); err == nil {
		made.Noted = true
		remove := cleanUp
		cleanUp = func() error { return errors.Join(forget(), remove()) }
	}
	if installation, err = server.Open(p.ctx, config); err != nil {
		return nil, nil, cleanUp, err
	}
	if err := demo.Crowd(p.ctx, installation, 0, c.People, p.progress("More people")); err != nil {
		return nil, nil, cleanUp, errors.Join(err, installation.Close())
	}
	made.Total += c.People
	return installation, made, cleanUp, nil
}

// instruct prints how to sign in as whom.
func (c *demoStartCommand) instruct(out io.Writer, at *url.URL, made *demo.Demo) {
	fmt.Fprintf(out, "\nA demo of %d people. Sign in at %s with the password %s\n\n", made.Total, at, demo.Password)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "  E-MAIL\tSTATE\tBACKUP CODE")
	for _, person := range made.People {
		code := ""
		if len(person.BackupCodes) > 0 {
			code = person.BackupCodes[0]
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", person.Email, person.State, code)
	}
	_ = table.Flush()
	for _, person := range made.People {
		if person.Link != "" {
			fmt.Fprintf(out, "\n  The enrolment link of %s: %s\n", person.Email, person.Link)
		}
	}
	if c.People > 0 {
		fmt.Fprintf(out, "  %s to %s are the others, all off\n", demo.CrowdEmail(1), demo.CrowdEmail(c.People))
	}
	there := " --data " + made.Folder
	command := fmt.Sprintf("%s demo code %s", called(), made.People[0].Email)
	if !made.Noted {
		command += there
	}
	fmt.Fprintf(out, "\nWhere a code is asked for, play their phone in another terminal:\n\n  %s\n\n", command)
	fmt.Fprintf(out, "The demo is in %s.\n", made.Folder)
	if made.Noted {
		fmt.Fprintf(out, "Where several demos run, that plays the one that was started last; with%s it plays this one.\n", there)
	}
	fmt.Fprintln(out, "A code is good for one sign-in; the next one comes within 30 seconds. Ctrl-C ends the demo"+c.stays()+".")
}

// called is how this program was called, for commands that can be copied.
func called() string {
	if strings.ContainsRune(os.Args[0], filepath.Separator) {
		return os.Args[0]
	}
	return "secondstep"
}

func (c *demoStartCommand) stays() string {
	switch {
	case c.DatabaseURL != "":
		return "; what is in the database stays there"
	case c.Data != "":
		return "; the folder stays"
	}
	return " and removes it"
}

type demoCodeCommand struct {
	Email string
	Data  string
}

func newDemoCode(p program) *cobra.Command {
	var c demoCodeCommand
	cmd := &cobra.Command{
		Use: "code EMAIL", Short: "Print the code that somebody's authenticator app in the running demo shows now.", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			c.Email = args[0]
			return ended(c.Run(p))
		},
	}
	pathVar(cmd.Flags(), &c.Data, "data", "", "The demo's `folder`, which its start printed; by default the demo that runs, and of several the one that was started last.")
	return cmd
}

// Run prints a line for each app of the person, the code first.
func (c *demoCodeCommand) Run(p program) error {
	ctx, stop := context.WithTimeout(p.ctx, 10*time.Second)
	defer stop()
	codes, err := demo.Codes(ctx, demo.Asked{Folder: c.Data, Email: c.Email, Now: time.Now, Random: rand.Reader})
	if err != nil {
		return err
	}
	if len(codes) == 0 {
		return fmt.Errorf("%s has no authenticator app: the password alone signs in, or turns it on", c.Email)
	}
	for _, code := range codes {
		pending := ""
		if code.Pending {
			pending = ", being set up"
		}
		fmt.Fprintf(p.out, "%s  for %d s more  (%s, %s%s)\n", code.Code, int(code.For.Seconds())+1, code.Label, code.Name, pending)
	}
	return nil
}
