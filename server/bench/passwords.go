package main

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/demo"
	"github.com/secondstep/secondstep/server/factor/backupcode"
	"github.com/secondstep/secondstep/server/factor/totp"
	"github.com/secondstep/secondstep/server/hashing"
)

// hashes is the bare loop: so many argon2id on so many goroutines.
func hashes(count, workers int, p hashing.Params) time.Duration {
	var work sync.WaitGroup
	began := time.Now()
	for worker := range workers {
		work.Go(func() {
			for range count/workers + min(1, max(0, count%workers-worker)) {
				argon2.IDKey([]byte(demo.Password), []byte("sixteen bytes of"), p.Time, p.Memory, p.Threads, 32)
			}
		})
	}
	work.Wait()
	return time.Since(began)
}

func passwordOf(person int) []byte {
	body := fmt.Sprintf(`{"email":%q,"password":%q}`, demo.CrowdEmail(person), demo.Password)
	return request("POST", "/api/v1/sign-in", cookie("browser", "browser", 0), body)
}

// signIns measures the password.
func signIns(b *bench) error {
	for _, kind := range b.kinds {
		if err := signInsOn(b, kind); err != nil {
			return err
		}
	}
	return nil
}

func signInsOn(b *bench, kind string) (err error) {
	const count = 128
	in, err := b.open(kind, 1000)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	var ours, theirs []float64
	for range b.rounds {
		got, err := crowd(in.address, 64, count, func(n int) []byte { return passwordOf(n + 1) })
		if err == nil && got.busy < got.failures() {
			err = got.refused()
		}
		if err != nil {
			return err
		}
		// On a machine that is busy otherwise some are told to come back; they count for nothing.
		ours = append(ours, float64(count-got.busy)/got.took.Seconds())
		theirs = append(theirs, count/hashes(count, hashing.DefaultWorkers(), hashing.Passwords).Seconds())
	}
	b.table.atLeast("password sign-ins, 64 connections, "+kind, median(ours), median(theirs), 0.90)
	return nil
}

// backupCodes measures backup codes of every sort, one at a time.
func backupCodes(b *bench) error {
	for _, kind := range b.kinds {
		if err := backupCodesOn(b, kind); err != nil {
			return err
		}
	}
	return nil
}

func backupCodesOn(b *bench, kind string) (err error) {
	const people = 24
	in, err := b.open(kind, people)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	if err := in.protect(); err != nil {
		return err
	}
	papers, err := in.papers()
	if err != nil {
		return err
	}
	browser, err := dial(in.address)
	if err != nil {
		return err
	}
	defer browser.conn.Close()
	sort := map[string][]time.Duration{}
	var bare []time.Duration
	try := func(what string, person int, code string, want int) error {
		if _, err := in.pendings(person + 1); err != nil {
			return err
		}
		body := fmt.Sprintf(`{"code":%q}`, code)
		cookies := fmt.Sprint("pending", in.tokens, "-")
		text := request("POST", "/api/v1/sign-in/backup-code", cookie("pending", cookies, person), body)
		runtime.GC() // each of the two begins without what the other has left behind
		began := time.Now()
		a, err := browser.do(text)
		sort[what] = append(sort[what], time.Since(began))
		if err == nil && a.StatusCode() != want {
			err = fmt.Errorf("a backup code, %s: %d %s", what, a.StatusCode(), a.Body())
		}
		runtime.GC()
		bare = append(bare, hashes(1, 1, hashing.BackupCodes))
		return err
	}
	for person := range people / 2 {
		// All ten of one person: the first, the last, and whichever are used already.
		for n, code := range papers[person] {
			what := "right"
			switch n {
			case 0:
				what = "right, the first"
			case 9:
				what = "right, the last, nine used"
			}
			if person >= 4 && n != 0 && n != 9 {
				continue
			}
			if err := try(what, person, code, 200); err != nil {
				return err
			}
		}
		other := people/2 + person
		code := papers[other][3]
		last := "0"
		if code[len(code)-1] == '0' {
			last = "1"
		}
		if err := try("wrong, of a code that there is", other, code[:len(code)-1]+last, 422); err != nil {
			return err
		}
		if err := try("wrong, of none", other, unknown(papers[other]), 422); err != nil {
			return err
		}
		if err := try("used", person, papers[person][0], 422); err != nil {
			return err
		}
	}
	worst, of := time.Duration(0), ""
	for what, all := range sort {
		if m := median(all); m > worst {
			worst, of = m, what
		}
	}
	b.table.atMost("a backup code, the slowest sort ("+of+"), "+kind, worst, median(bare), 1.3)
	return nil
}

// unknown has the shape of a code and the beginning of none.
func unknown(paper []string) string {
	taken := map[string]bool{}
	for _, code := range paper {
		taken[code[:2]] = true
	}
	for _, two := range []string{"AA", "BB", "CC", "DD", "EE", "FF", "GG", "HH", "JJ", "KK", "MM"} {
		if !taken[two] {
			return two + "111-22222-33333"
		}
	}
	return ""
}

// papers gives everybody ten codes.
func (in *installation) papers() ([][]string, error) {
	issuer := backupcode.NewIssuer(in.Database, in.Hashes, hashing.BackupCodes, in.config.Random)
	papers := make([][]string, len(in.people))
	for n, id := range in.people {
		draft, err := issuer.Draft(in.ctx, id)
		if err != nil {
			return nil, err
		}
		papers[n] = draft.Shown
		err = in.Database.Write(in.ctx, func(ctx context.Context, tx database.Tx) error {
			if err := draft.Put(ctx, tx, id, "", ""); err != nil {
				return err
			}
			return backupcode.Activate(ctx, tx, id, draft.ID)
		})
		if err != nil {
			return nil, err
		}
	}
	return papers, nil
}

// confirms measures the confirming of an enrolment, which makes ten backup codes.
func confirms(b *bench) error {
	for _, kind := range b.kinds {
		if err := confirmsOn(b, kind); err != nil {
			return err
		}
	}
	return nil
}

func confirmsOn(b *bench, kind string) (err error) {
	times := 4 * b.rounds
	in, err := b.open(kind, times)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	cookies, err := in.sessions(times)
	if err != nil {
		return err
	}
	browser, err := dial(in.address)
	if err != nil {
		return err
	}
	defer browser.conn.Close()
	const enrolments = "/api/v1/users/me/security/enrolments"
	var ours, bare []time.Duration
	for n := range times {
		a, err := browser.do(request("POST", enrolments, cookies[n], `{"name":"iPhone"}`))
		if err != nil {
			return err
		}
		var begun struct{ ID, Secret string }
		if err := json.Unmarshal(a.Body(), &begun); err != nil || a.StatusCode() != 201 {
			return fmt.Errorf("an enrolment: %d %s", a.StatusCode(), a.Body())
		}
		secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(begun.Secret)
		if err != nil {
			return err
		}
		body := fmt.Sprintf(`{"code":"%s"}`, totp.Code(secret, totp.Step(in.now())))
		text := request("POST", enrolments+"/"+begun.ID+"/confirm", cookies[n], body)
		began := time.Now()
		if a, err = browser.do(text); err != nil {
			return err
		}
		ours = append(ours, time.Since(began))
		if a.StatusCode() != 200 {
			return fmt.Errorf("a confirmation: %d %s", a.StatusCode(), a.Body())
		}
		bare = append(bare, hashes(10, hashing.DefaultWorkers(), hashing.BackupCodes))
	}
	b.table.atMost("confirm an enrolment, "+kind, median(ours), median(bare), 1.2)
	return nil
}
