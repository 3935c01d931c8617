package demo

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/secondstep/secondstep/server/account"
)

// days is how long ago the story begins.
const days = 24

// at is a time of a day.
func at(hour, minute int) time.Duration {
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

// found sets the installation up, as its first administrator does with the link of the first start, and adds everybody.
func (s *story) found() error {
	s.cast()
	token, err := s.installation.SignIn.IssueSetupLink(s.ctx)
	if err != nil {
		return err
	}
	first := s.people[0]
	_, err = first.desk.do(http.MethodPost, "/api/v1/setup",
		map[string]string{"token": token, "name": first.name, "email": first.address, "password": Password}, http.StatusOK)
	if err != nil {
		return err
	}
	hash, err := s.installation.Passwords.New(s.ctx, Password, "", "")
	if err != nil {
		return err
	}
	for _, p := range s.people[1:] {
		if err := p.added(hash); err != nil {
			return err
		}
		s.clock.wait(20 * time.Second)
	}
	return nil
}

// The people with a state of their own.
const (
	ada    = iota // the first administrator, who writes the rules
	grace         // an administrator without
	ben           // on
	carla         // off
	dmitri        // enrolling
	elif          // not activated
	farid         // few codes
	greta         // no codes
	hugo          // two apps
	ines          // locked
	jonas         // disabled
	kaori         // required, with a deadline
	liam          // overdue
	mira          // requirement off, factors kept
	noor          // requirement off, nothing there
	otto          // required, and on
	petra         // has a new phone
	quinn         // has renewed the codes
	rosa          // turned it off again
	sven          // began, and gave up
	others        // the first of those with nothing special about them
	mateo  = 38   // has lost everything, and asks to get back in: one of those
	oscar  = 40   // reset: the last of those
)

func (s *story) cast() {
	for _, one := range []struct{ name, role, state string }{
		ada:    {"Ada Lindqvist", account.Administrator, "administrator, 2-step verification on"},
		grace:  {"Grace Okafor", account.Administrator, "administrator without: is urged to turn it on"},
		ben:    {"Ben Castellanos", account.Member, "on"},
		carla:  {"Carla Dupont", account.Member, "off: try the wizard"},
		dmitri: {"Dmitri Volkov", account.Member, "enrolling: has scanned, gave no code yet (for 10 minutes)"},
		elif:   {"Elif Yılmaz", account.Member, "enrolled, not activated: the codes are not saved (for an hour)"},
		farid:  {"Farid Haddad", account.Member, "on, 2 backup codes left"},
		greta:  {"Greta Sørensen", account.Member, "on, no backup codes left"},
		hugo:   {"Hugo Almeida", account.Member, "on, with two apps"},
		ines:   {"Ines Moreau", account.Member, "locked after 50 wrong codes"},
		jonas:  {"Jonas Weber", account.Member, "disabled: the password is right, and nothing opens"},
		kaori:  {"Kaori Tanaka", account.Member, "required in 5 days, still off"},
		liam:   {"Liam O'Brien", account.Member, "overdue: may do nothing but set it up"},
		mira:   {"Mira Novak", account.Member, "not asked for a code, though there is an app (requirement: off)"},
		noor:   {"Noor Rahman", account.Member, "may not turn it on (requirement: off)"},
		otto:   {"Otto Virtanen", account.Member, "required, and on"},
		petra:  {"Petra Horváth", account.Member, "on, with a new phone since last week"},
		quinn:  {"Quinn Murphy", account.Member, "on, with new backup codes since last week"},
		rosa:   {"Rosa Marchetti", account.Member, "turned it off again"},
		sven:   {"Sven Eriksen", account.Member, "began to set it up, and gave up"},
	} {
		s.joins(one.name, one.role, one.state)
	}
	for _, name := range []string{
		"Tomas Zelenka", "Uma Krishnan", "Viktor Popov", "Wanda Kowalska", "Xavier Dubois", "Yara Mansour", "Zoltan Nagy",
		"Amina Diallo", "Bruno Costa", "Chiara Ricci", "Daniel Kim", "Esther Mbeki", "Felix Baumann", "Hanna Lehtonen",
		"Igor Petrovic", "Julia Santos", "Kenji Mori", "Lucia Fernández", "Mateo García", "Nadia Benali", "Oscar Jensen",
	} {
		s.joins(name, account.Member, "")
	}
	s.people[mateo].state = "lost phone and codes, asked to get back in yesterday: Ada can decide"
	s.people[oscar].state = "was reset by Ada: wants the enrolment link beside the password"
}

// write says what happens, and when.
func (s *story) write() {
	for n, p := range s.people {
		switch n {
		case ines:
			p.works(days-1, 6)
		case jonas:
			p.works(days-1, 9)
		case liam:
			p.works(days-1, 8) // from then on nothing but enrolling is open
		case mateo:
			p.works(days-1, 3) // a second step would end what he asks for
		default:
			p.works(days-1, 1)
		}
		if slices.Contains([]int{ada, ben, farid, greta, hugo, ines, jonas, mira, otto, petra, quinn, rosa}, n) || n >= others && n%3 != 0 {
			s.plan(days-2-pick(3, p.name, "enrols"), at(16, 0)+time.Duration(pick(7200, p.name, "enrols at"))*time.Second, func() error { return p.enrols(p.device()) })
		}
	}
	s.rules()
	s.troubles()
	s.changes()
	s.asks()
	s.lately()
}

// rules are what the administrator asks of people.
func (s *story) rules() {
	administrator := s.people[ada]
	require := func(daysAgo int, who int, requirement string, in time.Duration) {
		s.plan(daysAgo, at(18, 30)+time.Duration(who)*3*time.Minute, func() error {
			if err := administrator.signsIn(administrator.desk); err != nil {
				return err
			}
			body := map[string]any{"requirement": requirement}
			if requirement == account.RequirementOff {
				body["reason"] = "Shares one phone with the night shift."
			}
			if in != 0 {
				body["deadline"] = s.clock.Now().Add(in).Truncate(time.Hour)
			}
			_, err := administrator.desk.do(http.MethodPut, "/api/v1/users/"+s.people[who].id+"/security/requirement", body, http.StatusNoContent)
			return err
		})
	}
	day := 24 * time.Hour
	require(17, otto, account.RequirementRequired, 7*day)
	require(17, liam, account.RequirementRequired, 10*day)
	require(9, kaori, account.RequirementRequired, 14*day)
	require(12, mira, account.RequirementOff, 0)
	require(12, noor, account.RequirementOff, 0)
	s.plan(8, at(17, 0), func() error {
		if err := administrator.signsIn(administrator.desk); err != nil {
			return err
		}
		_, err := administrator.desk.do(http.MethodPatch, "/api/v1/users/"+s.people[jonas].id, map[string]any{"disabled": true}, http.StatusNoContent)
		return err
	})
	s.planAt(s.until.Add(-20*time.Hour), func() error {
		if err := administrator.signsIn(administrator.desk); err != nil {
			return err
		}
		theo := map[string]any{"name": "Theo Nguyen", "email": "theo@example.org", "role": account.Member}
		_, err := administrator.desk.do(http.MethodPost, "/api/v1/users", theo, http.StatusCreated)
		return err
	})
}

// troubles are the wrong codes.
func (s *story) troubles() {
	for who, count := range map[int]int{farid: 8, greta: 10} {
		p := s.people[who]
		for n := range count {
			s.plan(15-n, at(13, 5*n+who), func() error { return p.usesCode(p.desk) })
		}
	}
	// Somebody has Ines's password, and no phone of hers: five wrong codes an hour, for ten hours of a night.
	victim, thief := s.people[ines], s.browser(agents[1], netip.AddrFrom4([4]byte{192, 0, 2, 66}))
	for hour := range 10 {
		s.planAt(s.until.AddDate(0, 0, -5).Truncate(24*time.Hour).Add(-time.Hour+time.Duration(hour)*64*time.Minute), func() error {
			if _, err := victim.gives(thief, Password, http.StatusOK); err != nil {
				return err
			}
			for try := range 5 {
				if _, err := victim.sends(thief, victim.wrong(10*hour+try), http.StatusUnprocessableEntity); err != nil {
					return err
				}
			}
			return nil
		})
	}
	// Phones that were five minutes slow, and other entries of an app: some read why, some gave up.
	slow := []int{others + 2, others + 3, others + 5, others + 6, others + 8}
	for n, daysAgo := range []int{18, 17, 17, 15, 13, 12, 10, 9, 9, 8, 3, 2} {
		p := s.people[slow[n%len(slow)]]
		s.plan(daysAgo, at(8, 20+n), func() error {
			if _, err := p.gives(p.desk, Password, http.StatusOK); err != nil {
				return err
			}
			code := p.showed(5 * time.Minute)
			if n%3 == 1 {
				code = p.wrong(n)
			}
			if _, err := p.sends(p.desk, code, http.StatusUnprocessableEntity); err != nil {
				return err
			}
			if n%4 == 3 {
				return nil
			}
			return p.signsIn(p.desk)
		})
	}
	// A code that was typed twice, and one of a phone that is five minutes slow.
	for who, code := range map[int]func(p *person) string{
		ben:    func(p *person) string { return p.shows() },
		others: func(p *person) string { return p.showed(5 * time.Minute) },
	} {
		p := s.people[who]
		s.plan(6, at(20, who), func() error {
			if err := p.signsIn(p.desk); err != nil {
				return err
			}
			again := s.browser(p.pocket.agent, elsewhere(who))
			if _, err := p.gives(again, Password, http.StatusOK); err != nil {
				return err
			}
			_, err := p.sends(again, code(p), http.StatusUnprocessableEntity)
			return err
		})
	}
}

// changes are what people did on their Security page.
func (s *story) changes() {
	s.plan(7, at(19, 0), func() error { return s.people[petra].replaces() })
	s.plan(7, at(19, 20), func() error { return s.people[quinn].renews() })
	s.plan(7, at(19, 40), func() error { return s.people[hugo].adds("iPad") })
	s.plan(4, at(19, 0), func() error { return s.people[rosa].turnsOff() })
	s.plan(4, at(19, 20), func() error {
		p := s.people[sven]
		if err := p.signsIn(p.desk); err != nil {
			return err
		}
		enrolment, err := p.begins(p.desk, p.device(), "")
		if err != nil {
			return err
		}
		_, err = p.desk.do(http.MethodDelete, security+"/enrolments/"+enrolment, nil, http.StatusNoContent)
		return err
	})
}

// lately is what is still under way when the demo begins to serve.
func (s *story) lately() {
	s.planAt(s.until.Add(-27*time.Hour), func() error {
		p := s.people[mateo]
		if _, err := p.gives(p.desk, Password, http.StatusOK); err != nil {
			return err
		}
		said := []string{"My phone fell into the lake on Sunday, and the page with the codes was in its case."}
		_, err := p.desk.do(http.MethodPost, "/api/v1/sign-in/recovery",
			map[string]any{"no_backup_codes": true, "no_other_browser": true, "message": said}, http.StatusOK)
		return err
	})
	s.planAt(s.until.Add(-3*time.Hour), func() error { return s.people[oscar].isReset(s.people[ada]) })
	s.planAt(s.until.Add(-4*time.Minute), func() error {
		p := s.people[elif]
		if err := p.signsIn(p.desk); err != nil {
			return err
		}
		enrolment, err := p.begins(p.desk, p.device(), "")
		if err != nil {
			return err
		}
		return p.confirms(p.desk, enrolment)
	})
	s.planAt(s.until.Add(-time.Minute), func() error {
		p := s.people[dmitri]
		if err := p.signsIn(p.desk); err != nil {
			return err
		}
		_, err := p.begins(p.desk, p.device(), "")
		return err
	})
}

// told is who to sign in as.
func (s *story) told() *Demo {
	made := &Demo{Total: len(s.people) + 1} // and Theo, who was invited
	for n, p := range s.people {
		if p.state == "" {
			continue
		}
		one := Person{Name: p.name, Email: p.address, Role: p.role, State: p.state, Link: p.link}
		if !slices.Contains([]int{elif, ines, jonas, mira, rosa, mateo, oscar}, n) { // theirs open nothing now
			one.BackupCodes = p.codes
		}
		made.People = append(made.People, one)
	}
	return made
}
