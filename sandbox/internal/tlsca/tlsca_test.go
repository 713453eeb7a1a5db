package tlsca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"slices"
	"testing"
	"time"
)

const host = "cognito-idp.us-east-1.amazonaws.com"

func newCA(t *testing.T) *CA {
	t.Helper()
	ca, err := New(host, "login.example.com", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func TestAuthority(t *testing.T) {
	c := newCA(t).cert
	if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero {
		t.Errorf("IsCA %v, path length %d (%v)", c.IsCA, c.MaxPathLen, c.MaxPathLenZero)
	}
	if c.KeyUsage != x509.KeyUsageCertSign || !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("key usage %v, extended %v", c.KeyUsage, c.ExtKeyUsage)
	}
	if !c.PermittedDNSDomainsCritical || !slices.Equal(c.PermittedDNSDomains, []string{host, "login.example.com", "localhost"}) {
		t.Errorf("names %v, critical %v", c.PermittedDNSDomains, c.PermittedDNSDomainsCritical)
	}
	var ranges []string
	for _, r := range c.PermittedIPRanges {
		ranges = append(ranges, r.String())
	}
	if !slices.Equal(ranges, []string{"127.0.0.0/8", "::1/128"}) {
		t.Errorf("addresses %v", ranges)
	}
}

func TestServerCertificate(t *testing.T) {
	ca := newCA(t)
	made, err := ca.Certificate(host, "localhost", "127.0.0.1", "::1")
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(made.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if c.IsCA || !c.BasicConstraintsValid || c.KeyUsage != x509.KeyUsageDigitalSignature ||
		!slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) {
		t.Errorf("IsCA %v, key usage %v, extended %v", c.IsCA, c.KeyUsage, c.ExtKeyUsage)
	}
	// Browsers refuse servers' certificates of more than 398 days (CA/Browser Forum, Baseline
	// Requirements §6.3.2).
	if life := c.NotAfter.Sub(c.NotBefore); life > 398*24*time.Hour {
		t.Errorf("it lives %v", life)
	}
	for _, name := range []string{host, "localhost", "127.0.0.1", "[::1]"} {
		if err := verify(ca, c, name, x509.ExtKeyUsageServerAuth); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"example.org", "login.example.com", "127.0.0.2"} {
		if verify(ca, c, name, x509.ExtKeyUsageServerAuth) == nil {
			t.Errorf("it is good for %s", name)
		}
	}
}

func verify(ca *CA, c *x509.Certificate, name string, usage x509.ExtKeyUsage) error {
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, DNSName: name, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

// TestMisuse signs, with the authority's key, what the authority must not be good for.
func TestMisuse(t *testing.T) {
	ca := newCA(t)
	for _, name := range []string{"example.org", "amazonaws.com", "cognito-idp.eu-west-1.amazonaws.com", "example.com", "192.168.0.1", "8.8.8.8"} {
		made, err := ca.Certificate(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(made.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		if verify(ca, c, name, x509.ExtKeyUsageServerAuth) == nil {
			t.Errorf("the authority is good for %s", name)
		}
	}
	for what, change := range map[string]func(*x509.Certificate){
		"clients":  func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} },
		"e-mail":   func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} },
		"programs": func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} },
	} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := certificate("misuse", time.Hour)
		template.DNSNames = []string{host}
		change(template)
		der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		if verify(ca, c, host, c.ExtKeyUsage[0]) == nil {
			t.Errorf("the authority is good for %s", what)
		}
	}

	// An authority below the authority.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := certificate("below", time.Hour)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	below, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	made, err := (&CA{below, key}).Certificate(host)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(made.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(ca.cert)
	between.AddCert(below)
	if _, err := c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host}); err == nil {
		t.Error("an authority below the authority is good")
	}
}

func TestLimited(t *testing.T) {
	ca := newCA(t)
	text, err := ca.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if ca, err = Parse(text); err != nil || !ca.Limited() {
		t.Errorf("a new authority has no limits: %v", err)
	}
	for what, change := range map[string]func(*x509.Certificate){
		"no extended key usage": func(c *x509.Certificate) { c.ExtKeyUsage = nil },
		"another usage": func(c *x509.Certificate) {
			c.ExtKeyUsage = append(slices.Clone(c.ExtKeyUsage), x509.ExtKeyUsageClientAuth)
		},
		"longer paths":   func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 1, false },
		"no names":       func(c *x509.Certificate) { c.PermittedDNSDomains = nil },
		"almost expired": func(c *x509.Certificate) { c.NotAfter = time.Now().Add(serverLife - time.Hour) },
		"more addresses": func(c *x509.Certificate) {
			c.PermittedIPRanges = append(slices.Clone(c.PermittedIPRanges), c.PermittedIPRanges[0])
		},
		"advice about them": func(c *x509.Certificate) { c.PermittedDNSDomainsCritical = false },
	} {
		c := *ca.cert
		change(&c)
		if (&CA{&c, ca.key}).Limited() {
			t.Errorf("%s: it passes for limited", what)
		}
	}
}
