package demo

import (
	"net/http"
	"net/netip"
	"time"
)

const ticketPath = "/api/v1/tickets"

// asks are the tickets: one that is solved, one that waits for its person, and two that wait for an administrator, of
// which a stranger's has an address that nobody proved, as the demo sends no mail.
func (s *story) asks() {
	own := func(before time.Duration, who int, subject string, lines ...string) *string {
		reference := new(string)
		s.planAt(s.until.Add(-before), func() error {
			p := s.people[who]
			if err := p.signsIn(p.desk); err != nil {
				return err
			}
			opened, err := p.desk.do(http.MethodPost, ticketPath, map[string]any{"subject": subject, "lines": lines}, http.StatusOK)
			if err == nil {
				*reference = opened.Reference
			}
			return err
		})
		return reference
	}
	first := own(3*24*time.Hour, carla, "Which app should I take?", "I have an old iPhone. Is there an app that still runs on it?")
	s.answers(3*24*time.Hour-40*time.Minute, first, "Any of those that “Get an app” names, and the Passwords app that your iPhone has already.", "", "It takes two minutes.")
	s.planAt(s.until.Add(-3*24*time.Hour+2*time.Hour), func() error {
		p := s.people[carla]
		if err := p.signsIn(p.desk); err != nil {
			return err
		}
		thanks := map[string]any{"reference": *first, "lines": []string{"Thank you, I will."}}
		if _, err := p.desk.do(http.MethodPost, ticketPath+"/mine/reply", thanks, http.StatusOK); err != nil {
			return err
		}
		_, err := p.desk.do(http.MethodPost, ticketPath+"/mine/solve", map[string]any{"reference": *first}, http.StatusOK)
		return err
	})
	second := own(30*time.Hour, ben, "A sign-in in the list that I don’t know", "“What happened lately” shows a wrong code last week. Should I worry?")
	s.answers(29*time.Hour, second, "Somebody typed a code of yours a second time, and it was refused: nobody got in.", "", "Was that you, with another browser?")
	s.planAt(s.until.Add(-5*time.Hour), func() error {
		stranger := s.browser(pockets[1], netip.AddrFrom4([4]byte{198, 51, 100, 201}))
		_, err := stranger.do(http.MethodPost, ticketPath, map[string]any{
			"name": "Pat Doyle", "email": "pat@example.net", "subject": "I never got my invitation",
			"lines": []string{"I start on Monday and was promised an invitation.", "Could you send it again?"},
		}, http.StatusOK)
		return err
	})
	own(90*time.Minute, otto, "My code is refused every morning", "It says that my phone is ahead, and in the evening all is well.", "What can I do?")
}

// answers lets Ada answer a ticket.
func (s *story) answers(before time.Duration, reference *string, lines ...string) {
	s.planAt(s.until.Add(-before), func() error {
		administrator := s.people[ada]
		if err := administrator.signsIn(administrator.desk); err != nil {
			return err
		}
		found, err := administrator.desk.do(http.MethodGet, ticketPath+"?query="+*reference, nil, http.StatusOK)
		if err != nil {
			return err
		}
		for _, one := range found.Tickets {
			if _, err := administrator.desk.do(http.MethodPost, ticketPath+"/"+one.ID+"/reply", map[string]any{"lines": lines}, http.StatusOK); err != nil {
				return err
			}
		}
		return nil
	})
}
