// What a page receives: each subscribed track with its element and what reads it.

import type { RemotePublication, RemoteTrack } from 'nearcast';
import { listenTo, type ToneListener } from './media/listen.ts';
import { VideoReader } from './media/read.ts';

export class ReceivedTrack {
    readonly track: RemoteTrack;
    /** Set for video. */
    readonly video: VideoReader | undefined;
    /** Set for audio: what listens to its media, which may be another one than a moment ago. */
    readonly sound: (() => Promise<ToneListener>) | undefined;
    #listener: { media: MediaStreamTrack; listener: Promise<ToneListener> } | undefined;
    readonly element: HTMLMediaElement;

    constructor(publication: RemotePublication, track: RemoteTrack) {
        this.track = track;
        this.element = document.createElement(publication.kind);
        this.element.muted = true;
        this.element.title = `${publication.participant.identity} ${publication.source}`;
        document.body.append(this.element);
        track.attach(this.element);
        // Attached first: Chromium feeds Web Audio only from tracks that also play somewhere.
        if (this.element instanceof HTMLVideoElement) {
            this.element.width = 240;
            this.video = new VideoReader(this.element);
        } else {
            this.sound = () => this.#listen();
            void this.#listen();
        }
    }

    get mediaTrack(): MediaStreamTrack {
        return this.track.mediaStreamTrack;
    }

    #listen(): Promise<ToneListener> {
        if (this.#listener?.media !== this.mediaTrack) {
            this.#stopListening();
            this.#listener = { media: this.mediaTrack, listener: listenTo(this.mediaTrack) };
        }
        return this.#listener.listener;
    }

    #stopListening(): void {
        void this.#listener?.listener.then((listener) => listener.stop());
    }

    end(): void {
        this.video?.stop();
        this.#stopListening();
        this.track.detach(this.element);
        this.element.remove();
    }
}
