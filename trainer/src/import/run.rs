//! From a file of weights and the data that they were trained on to a run in its folder.

use std::path::{Path, PathBuf};

use ndarray::Array2;

use super::alternatives::{Alternative, Reading, better};
use super::{ImportError, ImportParams, InputRange, SourceNetwork, Units};
use crate::artifact::model_file::{self, ModelFile};
use crate::artifact::precision::NamedPrecision;
use crate::data::metrics::Metrics;
use crate::data::{Dataset, LoadOptions, has_columns};
use crate::fit::results::Results;
use crate::fit::run::Run;
use crate::fit::settings::{FitSettings, Imported};
use crate::training::TrainState;

/// What is imported, and what its file does not say.
#[derive(Clone, Debug)]
pub struct ImportSettings {
    /// The file of the weights.
    pub weights: PathBuf,
    /// How its tensors are read.
    pub params: ImportParams,
    /// The data that the network was trained on.
    pub data: PathBuf,
    /// How these are read.
    pub load: LoadOptions,
    /// The inputs of the network by their names in the data, in its order; empty where that is the order of the data.
    pub inputs: Vec<String>,
    /// What the network is given along an axis of the data; none for the usual range of its kind.
    pub input_range: Option<InputRange>,
    /// What the network gives for the least and the greatest value of the data; none for the data's own numbers.
    pub output_range: Option<(f64, f64)>,
    /// Of the model; none for the one that the network needs.
    pub precision: Option<NamedPrecision>,
}

/// A network that was read, with its data.
#[derive(Debug)]
pub struct Import {
    settings: ImportSettings,
    dataset: Dataset,
    /// Which input of the data each input of the network is.
    order: Vec<usize>,
    network: SourceNetwork,
}

/// The run of a network whose files are still to be written.
#[derive(Debug)]
pub struct ImportRun {
    run: Run,
    /// Points of the data and what the file's network gives there.
    points: Array2<f32>,
    values: Array2<f32>,
    source: Metrics,
    alternative: Option<Alternative>,
}

/// How good a network is, from its file to the model.
#[derive(Clone, Debug)]
pub struct ImportResults {
    /// Those of the run.
    pub results: Results,
    /// As the file has the network, in f64.
    pub source: Metrics,
    /// The largest difference of the model from that, for each output in its unit.
    pub differences: Vec<f64>,
    /// Another reading of the file that fits the data much better, if there is one.
    pub alternative: Option<Alternative>,
}

impl Import {
    /// Reads the network. `dataset` is what the settings name, as it was read.
    ///
    /// # Errors
    /// If the file is no network of this kind, or does not fit the data.
    pub fn read(settings: ImportSettings, dataset: Dataset) -> Result<Self, ImportError> {
        let order = settings.order(&dataset)?;
        let sizes = (dataset.inputs(), dataset.outputs());
        let network = SourceNetwork::read(&settings.weights, &settings.params, sizes)?.with_inputs(&order);
        Ok(Self { settings, dataset, order, network })
    }

    /// The network as it was understood.
    #[must_use]
    pub fn network(&self) -> &SourceNetwork {
        &self.network
    }

    /// Makes the run of the network in a folder, which is taken with `force` where it holds another run.
    ///
    /// # Errors
    /// If a device cannot compute the network, or the folder holds something or cannot be written.
    pub fn start(self, out: &Path, force: bool) -> Result<ImportRun, ImportError> {
        let Self { settings, dataset, order, network } = self;
        let on_grid = dataset.grid_shape().is_some();
        let of_grid = if network.is_siren() { InputRange::SYMMETRIC } else { InputRange::UNIT };
        let range = settings.input_range.or(on_grid.then_some(of_grid));
        let units = Units::new(&dataset, range, settings.output_range)?;
        let converted = network.convert(&dataset, &units)?;
        let values = units.values(&network, &dataset, dataset.points.view()).mapv(|value| value as f32);
        let source = Metrics::compare(&values, &dataset.targets, &dataset.output_maps);
        let reading = Reading {
            path: &settings.weights,
            params: &settings.params,
            order: &order,
            may_turn: settings.inputs.is_empty(),
            range,
            fixed_range: settings.input_range.is_some(),
            outputs: settings.output_range,
        };
        let alternative = better(reading, &dataset, source.psnr_db);

        let maps = converted.output_maps.iter().flatten().map(|map| [map.scale, map.offset]).collect();
        let imported = Imported { weights: settings.weights, output_maps: maps };
        let fit = FitSettings {
            fit: converted.params,
            precision: settings.precision,
            input: std::path::absolute(&settings.data).map_err(ImportError::Directory)?,
            load: settings.load,
            imported: Some(imported),
        };
        let (dataset, _) = fit.apply(dataset)?;
        let points = dataset.points.clone();
        let new = if force { Run::replace } else { Run::new };
        let mut run = new(out, fit, dataset)?;
        run.continue_from(TrainState::new(vec![converted.network]));
        Ok(ImportRun { run, points, values, source, alternative })
    }
}

impl ImportRun {
    /// Writes the files of the run, and compares its model with the network of the file.
    ///
    /// # Errors
    /// If the artifact cannot be made or a file cannot be written.
    pub fn write(&mut self) -> Result<ImportResults, ImportError> {
        let results = self.run.write_untrained()?;
        let file = ModelFile::read(&self.run.folder().model())?;
        let apart = model_file::predict(&file.model()?, &self.points)? - &self.values;
        let largest = |largest: f64, difference: &f32| largest.max(f64::from(difference.abs()));
        let differences = apart.columns().into_iter().map(|column| column.iter().fold(0.0, largest)).collect();
        let (source, alternative) = (self.source.clone(), self.alternative.clone());
        Ok(ImportResults { results, source, differences, alternative })
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &Run {
        &self.run
    }
}

impl ImportSettings {
    /// Which input of the data each input of the network is. Columns of a table are read in the order of the network.
    fn order(&self, dataset: &Dataset) -> Result<Vec<usize>, ImportError> {
        if self.inputs.is_empty() || has_columns(&self.data) {
            return Ok((0..dataset.inputs()).collect());
        }
        let names = &dataset.input_names;
        let unknown = || ImportError::UnknownInput { data: self.data.clone(), inputs: names.join(", ") };
        let places = self.inputs.iter().map(|name| names.iter().position(|known| known == name).ok_or_else(unknown));
        let order = places.collect::<Result<Vec<usize>, _>>()?;
        let is_order = (0..names.len()).all(|k| order.contains(&k)) && order.len() == names.len();
        if is_order { Ok(order) } else { Err(ImportError::Order { inputs: names.join(", ") }) }
    }
}
