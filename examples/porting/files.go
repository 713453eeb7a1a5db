package porting

import (
	"context"
	"path"

	"github.com/amplify-go/amplify/storage"
)

// publish moves the pictures among the user's drafts to where all can read them. ctx is that of a
// request.
func publish(ctx context.Context) error {
	drafts, err := storage.List(ctx, storage.ListInput{Path: storage.Path("drafts/")})
	if err != nil {
		return err
	}
	for _, item := range drafts.Items {
		properties, err := storage.GetProperties(ctx, storage.GetPropertiesInput{Path: item.ObjectPath()})
		if err != nil {
			return err
		}
		if properties.ContentType != "image/png" {
			continue
		}
		_, err = storage.Copy(ctx, storage.CopyInput{
			Source:      storage.CopySource{Path: item.ObjectPath()},
			Destination: storage.CopyDestination{Path: storage.Path("public/" + path.Base(item.Path))},
		})
		if err != nil {
			return err
		}
		if _, err := storage.Remove(ctx, storage.RemoveInput{Path: item.ObjectPath()}); err != nil {
			return err
		}
	}
	return nil
}
