'use client';
import { RoomProvider, useConnection } from 'nearcast/react';
import { useEffect, useState } from 'react';

function Shown() {
  const { state, error } = useConnection();
  useEffect(() => {
    if (error) window.verdict = { hooks: `${state} ${error.code}`, server: document.querySelector('main').dataset.server };
  }, [state, error]);
  return <p>{state}</p>;
}

export default function Call() {
  const [edge, setEdge] = useState('');
  useEffect(() => setEdge(new URLSearchParams(location.search).get('edge')), []);
  return (
    <RoomProvider url={edge} token="token" join={edge !== ''}>
      <Shown />
    </RoomProvider>
  );
}
