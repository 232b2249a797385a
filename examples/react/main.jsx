import { RoomAudio, RoomProvider, useCamera, useConnection, useMicrophone, usePublications, useScreenShare, useSoundPlayback, useSpeaking, VideoTrack } from 'nearcast/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { fetchToken } from './token.js';

function App() {
  const [entry, setEntry] = useState();
  if (!entry) return <Entry onEnter={setEntry} />;
  const { edge, room, name } = entry;
  return (
    <RoomProvider url={edge} token={() => fetchToken(edge, room, name)}>
      <Controls onLeave={() => setEntry(undefined)} />
      <Tiles />
      <RoomAudio />
    </RoomProvider>
  );
}

function Entry({ onEnter }) {
  const submit = (event) => {
    event.preventDefault();
    onEnter(Object.fromEntries(new FormData(event.target)));
  };
  return (
    <form onSubmit={submit}>
      <input name="edge" defaultValue="http://localhost:8080" />
      <input name="room" defaultValue="standup" />
      <input name="name" placeholder="Your name" required />
      <button>Join</button>
    </form>
  );
}

function Controls({ onLeave }) {
  const { state, error } = useConnection();
  const microphone = useMicrophone();
  const camera = useCamera();
  const screen = useScreenShare();
  const sound = useSoundPlayback();
  const failure = error ?? microphone.error ?? camera.error ?? screen.error;
  return (
    <>
      <Toggle name="microphone" source={microphone} />
      <Toggle name="camera" source={camera} />
      <Toggle name="screen" source={screen} />
      {/* Leaving is unmounting: the provider does the rest. */}
      <button id="leave" onClick={onLeave}>Leave</button>
      {sound.blocked && <button onClick={sound.resume}>Play sound</button>}
      <p id="status">{failure ? `${failure.code}: ${failure.message}` : state === 'connected' ? '' : `${state}…`}</p>
    </>
  );
}

function Toggle({ name, source }) {
  return (
    <button id={name} aria-pressed={source.on} disabled={source.pending} onClick={() => source.toggle()}>
      {name}
    </button>
  );
}

function Tiles() {
  const pictures = usePublications({ sources: ['camera', 'screen'] });
  return (
    <div id="tiles" className="tiles">
      {pictures.map(({ participant, publication, track }) => (
        <Tile key={publication.id} participant={participant} track={track} />
      ))}
    </div>
  );
}

function Tile({ participant, track }) {
  return <VideoTrack track={track} title={participant.name} className={useSpeaking(participant) ? 'speaking' : ''} />;
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
