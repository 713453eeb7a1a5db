package awsapi

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/amplify-go/amplify"
)

// Settings are the settings that the clients of all services have in common.
type Settings struct {
	Region string
	// HTTPClient sends requests through the HTTP client of the App. An answer may have a body of
	// 1 MiB, and must be complete after 10 seconds.
	HTTPClient aws.HTTPClient
	Retryer    aws.Retryer
}

// Unlimited returns s with an HTTPClient that has no limits, for services whose answers have bodies
// of any size. The caller bounds them.
func (s Settings) Unlimited() Settings {
	if l, ok := s.HTTPClient.(*limited); ok {
		s.HTTPClient = l.client
	}
	return s
}

// Limited returns s with an HTTPClient that has other limits: for answers with bodies of up to size
// bytes, each of which must be complete after timeout.
func (s Settings) Limited(size int64, timeout time.Duration) Settings {
	s.HTTPClient = &limited{s.Unlimited().HTTPClient, size, timeout}
	return s
}

// clients are the clients of type C of one App, by region.
type clients[C any] struct {
	app *amplify.App

	mu       sync.Mutex
	byRegion map[string]C
}

// Client returns the client of type C that app keeps for a region. The first call for a region
// calls build, which must not call Client for the same C.
//
// Clients are told apart by their type. A package that does not want to share its client uses a
// type of its own for C:
//
//	type userPool struct{ *cognitoidentityprovider.Client }
func Client[C any](app *amplify.App, region string, build func(Settings) C) (C, error) {
	all, err := amplify.Shared(app, func(app *amplify.App) (*clients[C], error) {
		return &clients[C]{app: app, byRegion: map[string]C{}}, nil
	})
	if err != nil {
		var none C
		return none, err
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	c, ok := all.byRegion[region]
	if !ok {
		c = build(settings(all.app, region))
		all.byRegion[region] = c
	}
	return c, nil
}

func settings(app *amplify.App, region string) Settings {
	return Settings{
		Region:     region,
		HTTPClient: &limited{app.HTTPClient(), maxAnswer, attemptTimeout},
		Retryer:    Retryer(),
	}
}
