package partition

import "testing"

func TestOf(t *testing.T) {
	for region, want := range map[string]struct{ id, suffix string }{
		"us-east-1":       {"aws", "amazonaws.com"},
		"eu-central-1":    {"aws", "amazonaws.com"},
		"il-central-1":    {"aws", "amazonaws.com"},
		"mx-central-1":    {"aws", "amazonaws.com"},
		"cn-north-1":      {"aws-cn", "amazonaws.com.cn"},
		"cn-northwest-1":  {"aws-cn", "amazonaws.com.cn"},
		"us-gov-west-1":   {"aws-us-gov", "amazonaws.com"},
		"us-gov-east-1":   {"aws-us-gov", "amazonaws.com"},
		"eusc-de-east-1":  {"aws-eusc", "amazonaws.eu"},
		"us-iso-east-1":   {"aws-iso", "c2s.ic.gov"},
		"us-iso-west-1":   {"aws-iso", "c2s.ic.gov"},
		"us-isob-east-1":  {"aws-iso-b", "sc2s.sgov.gov"},
		"us-isob-west-1":  {"aws-iso-b", "sc2s.sgov.gov"},
		"eu-isoe-west-1":  {"aws-iso-e", "cloud.adc-e.uk"},
		"us-isof-south-1": {"aws-iso-f", "csp.hci.ic.gov"},
		"us-isof-east-1":  {"aws-iso-f", "csp.hci.ic.gov"},
		"xx-future-1":     {"aws", "amazonaws.com"},
		"":                {"aws", "amazonaws.com"},
	} {
		if p := Of(region); p.ID != want.id || p.DNSSuffix != want.suffix {
			t.Errorf("%q: %s at %s, want %s at %s", region, p.ID, p.DNSSuffix, want.id, want.suffix)
		}
	}
}

func TestHost(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1":      "cognito-idp.us-east-1.amazonaws.com",
		"eusc-de-east-1": "cognito-idp.eusc-de-east-1.amazonaws.eu",
		"cn-north-1":     "cognito-idp.cn-north-1.amazonaws.com.cn",
	} {
		if got := Host("cognito-idp", region); got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}
