import { brand } from '../installation';

/** The name in the frame, which an administrator may change while they look at it. */
class Shown {
  #turn = $state(0);

  get name() {
    void this.#turn;
    return brand();
  }

  changed() {
    this.#turn++;
  }
}

export const shown = new Shown();
